"""A mail server for tests, on loopback: keeps every letter as a file, refuses some receivers, and may want a log-in.

    server.py FOLDER [PASSWORD]

Its first line is the port. `gone@…` is refused for good, `busy@…` for now, `slow@…` never answered.
"""

import asyncio
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult


class Letters:
    def __init__(self, folder):
        self.folder = folder
        self.count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        who = address.split("@")[0]
        if who == "gone":
            return f"550 5.1.1 <{address}>: no such user"
        if who == "busy":
            return "451 4.3.2 come back later"
        if who == "slow":
            await asyncio.sleep(600)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        name = f"{self.count:03}-{envelope.rcpt_tos[0]}"
        half = self.folder / f".{name}"
        half.write_bytes(envelope.content)
        half.rename(self.folder / name)
        return "250 kept"


async def main():
    folder, password = Path(sys.argv[1]), (sys.argv[2:] or [None])[0]

    def judge(server, session, envelope, mechanism, data):
        return AuthResult(success=data.password == (password or "").encode())

    login = {"auth_required": True, "auth_require_tls": False, "authenticator": judge} if password else {}
    letters, loop = Letters(folder), asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(letters, loop=loop, **login), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
