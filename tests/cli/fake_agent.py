#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""An agent's control socket without an agent: replays answers that a test has laid down, and keeps what it was asked.

    fake_agent.py DIR

Listens at DIR/sock. Each request line is appended to DIR/requests. The answer is DIR/replies/REQUEST (spaces and slashes
in the request become _) or else DIR/reply, sent as it is. Answers that change: DIR/replies/REQUEST.N is for the Nth time that this
is asked and all later ones, up to the next that is there. DIR/mode, if it is there, says how it misbehaves:

    silent    reads, never answers          trickle   the answer's bytes, one every 50 ms, over and over
    flood     data lines without end        hangup    the answer, then the end
    reset     the end before any answer     keep      the answer, then the connection stays open
Without it, it serves request after request, as the agent does.
"""
import os
import socket
import sys
import threading
import time


def read(path, default=b""):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return default


def answer_of(folder, request):
    name = os.path.join(folder, "replies", request.decode("utf-8", "replace").replace(" ", "_").replace("/", "_")[:200])
    times = read(os.path.join(folder, "requests")).split(b"\n").count(request)
    turns = [n for n in range(1, times + 1) if os.path.exists(f"{name}.{n}")]
    return read(f"{name}.{turns[-1]}" if turns else name, read(os.path.join(folder, "reply")))


def answer(connection, folder, request):
    """False when the connection is to be closed."""
    mode = read(os.path.join(folder, "mode")).decode().strip()
    text = answer_of(folder, request)
    if mode == "silent":
        time.sleep(3600)
    elif mode == "trickle":
        while True:
            for byte in text:
                connection.sendall(bytes([byte]))
                time.sleep(0.05)
    elif mode == "flood":
        while True:
            connection.sendall(b'{"text":"one more line"}\n' * 1000)
    elif mode != "reset":
        connection.sendall(text)
    if mode == "keep":
        time.sleep(3600)
    return mode not in ("hangup", "reset")


def serve(connection, folder):
    pending = b""
    try:
        while chunk := connection.recv(65536):
            pending += chunk
            while b"\n" in pending:
                request, pending = pending.split(b"\n", 1)
                with open(os.path.join(folder, "requests"), "ab") as log:
                    log.write(request + b"\n")
                if not answer(connection, folder, request):
                    return
    except OSError:
        pass
    finally:
        connection.close()


def main(folder):
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(os.path.join(folder, "sock"))
    listening.listen(8)
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=serve, args=(connection, folder), daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1])
