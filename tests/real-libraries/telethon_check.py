"""Telethon opens what we wrote, finds the peers, writes one more, and finds it after a restart."""
import asyncio
import inspect
import sys

from telethon import TelegramClient, types
from telethon.sessions import SQLiteSession

path, key_head, with_phone = sys.argv[1], sys.argv[2], sys.argv[3] == "phone"


def user(identifier, access_hash, username):
    return types.User(
        id=identifier, access_hash=access_hash, first_name="New", username=username, phone="15550009999"
    )


session = SQLiteSession(path)
assert session.dc_id == 2, session.dc_id
assert session.server_address == "149.154.167.51", session.server_address
assert session.port == 443
assert session.auth_key.key.hex().startswith(key_head)
alice = session.get_input_entity(types.PeerUser(111000111))
assert alice.access_hash == 1234567890123456789, alice
channel = session.get_input_entity(types.PeerChannel(1500000001))
assert channel.access_hash == 5555555555555555, channel
clash = session.get_input_entity(types.PeerChannel(111000111))
assert clash.access_hash == 31337, clash
chat = session.get_input_entity(types.PeerChat(77001))
assert chat.chat_id == 77001
if with_phone:
    assert session.get_input_entity("alice_0").user_id == 111000111
    assert session.get_input_entity("+15550001000").user_id == 111000111
    state = session.get_update_state(0)
    assert (state.pts, state.qts, state.seq) == (100123, 45, 678), state
    channels = dict((i, s.pts) for i, s in session.get_update_states() if i)
    assert channels == {1500000001: 4321, 1600000002: 8765}, channels

session.process_entities([user(999000999, -77, "brand_new")])
session.save()
session.close()
again = SQLiteSession(path)
assert again.get_input_entity("brand_new").access_hash == -77
again.close()


async def client():
    # The address family is compared here, before anything is sent.
    client = TelegramClient(SQLiteSession(path), 1, "0" * 32)
    assert client.session.dc_id == 2
    closing = client.session.close()
    if inspect.isawaitable(closing):
        await closing


asyncio.run(client())
