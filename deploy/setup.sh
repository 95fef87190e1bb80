#!/bin/sh
# Installs whatever is missing: native libraries, .venv, locked packages, the Korean font, migrations.
# usage: sh deploy/setup.sh [runtime|dev]    Safe to repeat; a second run only compares checksums.
set -eu
cd "$(dirname "$0")/.."
profile=${1:-runtime}
venv=.venv
say() { printf '%s\n' "$*"; }
stop() { say "설치 중단: $*" >&2; exit 1; }

# --- Python -----------------------------------------------------------------------------------------------------
new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
python=
for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
    if [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 && new_enough "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then stop "Python 3.11 이상이 필요합니다. 설치한 뒤 다시 실행해 주세요."; fi

# --- native packages (apt) --------------------------------------------------------------------------------------
missing=
want() { missing="$missing $*"; }
# The standard library module that Debian splits off; without it `python -m venv` has no pip.
"$python" -c 'import ensurepip, venv' 2>/dev/null || want "$(basename "$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')")-venv"
# WeasyPrint lays text out with Pango; harfbuzz-subset makes the fonts inside the PDF small, fast.
has_library() { "$python" -c 'import ctypes.util, sys; sys.exit(ctypes.util.find_library(sys.argv[1]) is None)' "$1" 2>/dev/null; }
on_macos() { [ "$(uname -s)" = Darwin ]; }
if on_macos; then
    ls /opt/homebrew/lib/libpango-1.0.dylib /usr/local/lib/libpango-1.0.dylib >/dev/null 2>&1 ||
        has_library pango-1.0 || stop "Pango가 필요합니다. 실행: brew install pango"
else
    # find_library needs ldconfig or gcc to look; the loader itself is the better judge.
    loads() { "$python" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$1" 2>/dev/null; }
    loads libpango-1.0.so.0 || want libpango-1.0-0
    loads libpangoft2-1.0.so.0 || want libpangoft2-1.0-0
    loads libharfbuzz-subset.so.0 || want libharfbuzz-subset0
fi
if [ -n "$missing" ]; then
    if ! command -v apt-get >/dev/null 2>&1; then
        stop "다음 라이브러리가 필요합니다:$missing (배포판의 패키지 관리자로 설치해 주세요)"
    elif [ "$(id -u)" = 0 ]; then
        as_root=
    elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        as_root=sudo
    else
        stop "관리자 권한으로 한 번 실행해 주세요: apt-get install -y$missing"
    fi
    say "시스템 라이브러리 설치:$missing"
    log=$(mktemp)
    # shellcheck disable=SC2086  # the list is meant to split
    if ! { $as_root apt-get update -q && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -q --no-install-recommends $missing; } >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        stop "설치하지 못했습니다. 직접 실행해 주세요: apt-get install -y$missing"
    fi
    rm -f "$log"
fi

# --- packages ---------------------------------------------------------------------------------------------------
if ! { [ -x "$venv/bin/python" ] && new_enough "$venv/bin/python" && "$venv/bin/python" -c 'import pip' 2>/dev/null; }; then
    say "가상 환경 만들기: $venv"
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi
install_locked() { # install_locked LOCKFILE STAMP
    sum=$(cksum "$1")
    if [ "$(cat "$venv/$2" 2>/dev/null)" != "$sum" ]; then
        say "패키지 설치: $1 (처음에는 몇 분 걸립니다)"
        "$venv/bin/python" -m pip install --quiet --quiet --disable-pip-version-check --no-input --no-deps --require-hashes -r "$1" ||
            stop "패키지를 설치하지 못했습니다. 네트워크를 확인하고 다시 실행해 주세요."
        printf '%s' "$sum" >"$venv/$2"
    fi
}
case $profile in
    dev) install_locked requirements-dev.lock .stamp-dev ;;
    runtime)
        # The development lock holds every runtime pin, so either one will do.
        [ "$(cat "$venv/.stamp-dev" 2>/dev/null)" = "$(cksum requirements-dev.lock)" ] ||
            install_locked requirements.lock .stamp-runtime
        ;;
    *) stop "알 수 없는 설치 종류입니다: $profile (runtime 또는 dev)" ;;
esac

# --- what the product makes for itself --------------------------------------------------------------------------
"$venv/bin/python" manage.py build_fonts
"$venv/bin/python" manage.py migrate --noinput --verbosity 0
