"""Read typed settings from the environment; a value that cannot be understood stops the start with a sentence."""

import json
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}
MOST_DAYS = 36_500
SHORTEST_SECRET = 20


def load_env_file(path: Path) -> None:
    """Put `KEY=value` lines of a `.env` file into the environment; variables already set win."""
    if not path.is_file():
        return
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"{path.name} 파일은 UTF-8로 저장되어야 합니다.") from None
    except OSError:
        raise ImproperlyConfigured(f"{path.name} 파일을 읽을 수 없습니다. 권한을 확인해 주세요.") from None
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, separator, value = line.removeprefix("export ").partition("=")
        if not separator or not name.strip().isidentifier() or "\0" in line:
            # The line itself may hold a key, so only its number is shown.
            raise ImproperlyConfigured(
                f"{path.name} {number}번째 줄을 읽을 수 없습니다. '이름=값' 모양이어야 합니다."
            )
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        os.environ.setdefault(name.strip(), value)


def env_str(name: str, default: str = "") -> str:
    return os.environ.get(name, default).strip()


def env_bool(name: str, *, default: bool) -> bool:
    raw = env_str(name)
    if not raw:
        return default
    if raw.lower() in TRUE:
        return True
    if raw.lower() in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} 값은 true 또는 false여야 합니다.")


def env_list(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in env_str(name, default).split(",") if part.strip()]


def env_choice(name: str, choices: tuple[str, ...]) -> str:
    """Return one of the choices; the first one is the default."""
    value = env_str(name, choices[0]) or choices[0]
    if value not in choices:
        raise ImproperlyConfigured(f"{name} 값은 {' 또는 '.join(choices)}여야 합니다.")
    return value


def env_secret(name: str) -> str:
    """Return a secret that somebody made up, or nothing; one that could be guessed is refused."""
    value = env_str(name)
    if value and len(value) < SHORTEST_SECRET:
        raise ImproperlyConfigured(f"{name} 값은 {SHORTEST_SECRET}자 이상이어야 합니다.")
    return value


def env_url(name: str) -> str:
    """Return an address of the web, or nothing."""
    value = env_str(name)
    try:
        parts = urlsplit(value)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:  # http://[
        is_address = False
    if value and not is_address:
        raise ImproperlyConfigured(f"{name} 값은 https://로 시작하는 주소여야 합니다.")  # it may hold a key
    return value


def env_days(name: str, default: int) -> int:
    """Return a number of whole days, at least one and at most a hundred years."""
    return env_count(name, default, most=MOST_DAYS, what="날수")


def env_count(name: str, default: int, *, most: int, what: str) -> int:
    """Return a whole number from 1 to `most`; `what` is what it counts, in Korean."""
    raw = env_str(name) or str(default)
    # Only plain digits: int() would also take 1_0 or a figure of another script for a number.
    if not (raw.isascii() and raw.isdigit() and len(raw) <= len(str(most)) and 1 <= int(raw) <= most):
        raise ImproperlyConfigured(f"{name} 값은 1에서 {most} 사이의 {what}여야 합니다.")
    return int(raw)


def env_json(name: str) -> dict[str, Any]:
    """Return a JSON object; what stands there may be a key, and is not repeated where it cannot be read."""
    try:
        value = json.loads(env_str(name) or "{}")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ImproperlyConfigured(f'{name} 값은 JSON 객체여야 합니다. 예: {{"bucket_name": "my-reports"}}')
    return value


def own_secret(path: Path) -> str:
    """Return the secret kept in a file that only the owner can read; made on first use, also by two processes."""
    try:
        return make_or_read_secret(path)
    except OSError as error:
        raise ImproperlyConfigured(f"{path} 파일을 읽거나 쓸 수 없습니다. ({error.strerror})") from None


def make_or_read_secret(path: Path) -> str:
    if not path.exists():
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(50))
        try:
            os.link(fresh, path)  # fails where another process was faster; its secret then counts
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    secret = path.read_text(encoding="ascii").strip()
    if not secret:
        raise ImproperlyConfigured(f"{path.name} 파일이 비어 있습니다. 지우고 다시 실행해 주세요.")
    return secret


def own_folder(path: Path) -> Path:
    """Return a folder of the site, made if it is missing."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)  # the books are nobody else's business
    except OSError as error:
        raise ImproperlyConfigured(f"폴더를 만들 수 없습니다: {path} ({error.strerror})") from None
    return path
