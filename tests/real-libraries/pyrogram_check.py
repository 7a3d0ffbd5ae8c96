"""Pyrogram or kurigram opens what we wrote, finds the peers, writes one more, finds it again."""
import asyncio
import sys
from pathlib import Path

path, key_head, with_names = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "names"


def storage():
    try:
        from pyrogram.storage import FileStorage

        return FileStorage(path.stem, path.parent)
    except ImportError:
        from pyrogram.storage.sqlite_storage import SQLiteStorage

        return SQLiteStorage(path.stem, path.parent)


async def main():
    s = storage()
    await s.open()
    assert await s.dc_id() == 2
    assert await s.test_mode() in (False, 0)
    assert (await s.auth_key()).hex().startswith(key_head)
    assert await s.user_id() == 123456789
    assert await s.is_bot() in (False, 0)
    assert await s.api_id() == 1234567
    alice = await s.get_peer_by_id(111000111)
    assert (alice.user_id, alice.access_hash) == (111000111, 1234567890123456789), alice
    channel = await s.get_peer_by_id(-1001500000001)
    assert (channel.channel_id, channel.access_hash) == (1500000001, 5555555555555555), channel
    group = await s.get_peer_by_id(-77001)
    assert group.chat_id == 77001
    if with_names:
        assert (await s.get_peer_by_username("alice_0")).user_id == 111000111
        assert (await s.get_peer_by_phone_number("15550001000")).user_id == 111000111
    if hasattr(s, "server_address"):
        assert await s.server_address() == "149.154.167.51"
        assert await s.port() == 443
    # Every schema has its own rows.
    if hasattr(s, "update_usernames"):
        await s.update_peers([(999000999, -77, "user", "15550009999")])
        await s.update_usernames([(999000999, ["brand_new"])])
    else:
        await s.update_peers([(999000999, -77, "user", "brand_new", "15550009999")])
    await s.save()
    await s.close()
    s = storage()
    await s.open()
    assert (await s.get_peer_by_username("brand_new")).access_hash == -77
    assert (await s.auth_key()).hex().startswith(key_head)
    await s.close()


asyncio.run(main())
