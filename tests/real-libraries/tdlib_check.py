"""TDLib takes the log `td.binlog` in a folder for a login, without a network, and writes it anew: encrypted.

Usage: tdlib_check.py FOLDER [KEY in base64]
"""
import json
import sys
import time

import tdjson

folder, key = sys.argv[1], (sys.argv[2:] + [""])[0]
PARAMETERS = {
    "@type": "setTdlibParameters",
    "database_directory": folder,
    "files_directory": folder + "/files",
    "database_encryption_key": key,
    "use_test_dc": False,
    "use_message_database": False,
    "api_id": 94575,
    "api_hash": "a3406de8d171bb422bb6ddf3bbd800e2",
    "system_language_code": "en",
    "device_model": "test",
    "application_version": "1",
}


def request(message):
    return json.dumps(message).encode()


tdjson.td_execute(request({"@type": "setLogVerbosityLevel", "new_verbosity_level": 1}))
client = tdjson.td_create_client_id()
tdjson.td_send(client, request(PARAMETERS))
states, deadline = [], time.monotonic() + 30
while time.monotonic() < deadline and "authorizationStateClosed" not in states:
    answer = json.loads(tdjson.td_receive(1.0) or "null") or {}
    assert answer.get("@type") != "error", answer
    if answer.get("@type") == "updateAuthorizationState":
        states.append(answer["authorization_state"]["@type"])
        if states[-1] == "authorizationStateReady":
            tdjson.td_send(client, request({"@type": "close"}))
assert "authorizationStateReady" in states, states
assert "authorizationStateClosed" in states, states
