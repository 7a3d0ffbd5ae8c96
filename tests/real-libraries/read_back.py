"""The peer that a real library wrote has come through our reader, with its names where they were kept."""
import sqlite3
import sys

path, username = sys.argv[1], sys.argv[2]
rows = sqlite3.connect(path).execute(
    "SELECT hash, username FROM entities WHERE id = 999000999"
).fetchall()
assert rows == [(-77, None if username == "-" else username)], rows
