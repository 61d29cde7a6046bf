"""How a command asks a running server: the token, the call, and what is said when it fails."""

import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click
import httpx2
import msgspec

DATA_FOLDERS = ("playhead-data", "demo-data")
TOKEN_FILE = "admin.token"  # noqa: S105 (a file's name)
ADDRESS_FILE = Path("run", "address")
"""In a data folder: where its server listens."""
DEFAULT_URL = "http://127.0.0.1:8700"
URL_HELP = f"The server (default: that of the data folder, else {DEFAULT_URL})."
TIMEOUT_S = 60.0
TEXT_SHOWN = 200
"""Characters of a text from outside; the whole is in the API."""
TOKEN_MAX_BYTES = 4_096


def shown(text: str) -> str:
    """Return text as a terminal may show it: what is not printable is written as an escape."""
    cut = text if len(text) <= TEXT_SHOWN else text[:TEXT_SHOWN] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


def server_of(url: str | None, data: str | None) -> str:
    """Return the server named, else that of the data folder named or lying here, else the usual one."""
    if url:
        return url
    for folder in (data,) if data is not None else DATA_FOLDERS:
        try:
            found = Path(folder, ADDRESS_FILE).read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if found.startswith("http://") and found.isprintable():
            return found
    return DEFAULT_URL


def secret_of(data: str | None, token_file: Path | None) -> str:
    """Return the token of the file named, else of the data folder named, else of one lying here."""
    folders = (data,) if data is not None else DATA_FOLDERS
    files = [token_file] if token_file is not None else [Path(f, TOKEN_FILE) for f in folders]
    found = next((file for file in files if file.exists()), files[0])
    try:
        with found.open("rb") as opened:
            secret = opened.read(TOKEN_MAX_BYTES).decode("ascii").strip()
    except UnicodeDecodeError:
        secret = ""
    except OSError as error:
        hint = "Name the server's data folder with --data, or a file with --token-file."
        stop(f"The token in {found} cannot be read: {error.strerror}.", hint)
    return _checked(secret, str(found))


def secret_in(variable: str) -> str:
    """Return the token that an environment variable holds."""
    return _checked(os.environ.get(variable, "").strip(), f"The variable {variable}")


def _checked(secret: str, where: str) -> str:
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        stop(f"{where} holds no token.")
    return secret


def ask(url: str, secret: str, method: str, path: str, **content: Any) -> httpx2.Response:
    """Return the server's answer; a failure is said and ends the command."""
    answer = answer_of(url, secret, method, path, **content)
    if answer.status_code != httpx2.codes.OK:
        _refused(answer)
    return answer


def answer_of(url: str, secret: str, method: str, path: str, **content: Any) -> httpx2.Response:
    """Return the server's answer, whatever it says; none at all is said and ends the command."""
    url = (url if "://" in url else f"http://{url}").rstrip("/")
    headers = {**content.pop("headers", {}), "authorization": f"Bearer {secret}"}
    try:
        with httpx2.Client(timeout=TIMEOUT_S, trust_env=False) as client:
            answer = client.request(method, url + path, headers=headers, **content)
    except httpx2.ConnectError:
        stop(f"Nothing answers at {url}.", "Start it with 'playhead up', or name it with --url.")
    except (httpx2.TransportError, httpx2.InvalidURL) as error:
        stop(f"{url} cannot be reached: {str(error).rstrip('.')}.")
    return answer


def told(answer: httpx2.Response) -> dict[str, Any]:
    """Return the data and meta of an answer; anything else is said and ends the command."""
    try:
        body = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        body = None
    if not isinstance(body, dict) or "data" not in body:
        _refused(answer)
    return body


def _refused(answer: httpx2.Response) -> NoReturn:
    try:
        body = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        body = None
    said = body if isinstance(body, dict) else {"message": answer.text}
    message = shown(str(said.get("message", "")))
    stop(f"The server answered {answer.status_code}: {message}", shown(str(said.get("hint", ""))))


def stop(message: str, hint: str = "") -> NoReturn:
    """Say what went wrong and what to do, and end the command."""
    click.echo(f"playhead: {message}", err=True)
    if hint:
        click.echo(f"          {hint}", err=True)
    sys.exit(1)
