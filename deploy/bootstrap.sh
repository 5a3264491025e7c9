#!/bin/sh
# Makes this machine ready: deploy/bootstrap.sh run | check | test
#   run    .venv with requirements.txt, and Mosquitto, unless broker_url names an existing broker
#   check  .venv with requirements-dev.txt, and Mosquitto
#   test   both, and what the broker and browser tests drive
# What is there already is not touched: the second time takes a blink and needs no network.
# An interrupted run is repaired by the next, because a stamp in .venv is the last thing written.
set -eu
cd "$(dirname "$0")/.."
# Where apt and brew put mosquitto, which a normal user's PATH may lack.
PATH=$PATH:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin:/opt/homebrew/bin

say() { echo "culex: $*" >&2; }
fail() { say "$*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"
    elif has sudo; then sudo "$@"
    else fail "installing packages needs root; run once as root: apt-get install $packages"
    fi
}

# Runs a command quietly; what it said is shown only if it fails.
quietly() {
    log=$(mktemp)
    if "$@" >"$log" 2>&1; then rm -f "$log"; else cat "$log" >&2; rm -f "$log"; return 1; fi
}

new_python() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for candidate in python3 /usr/bin/python3 python3.14 python3.13 python3.12 python3.11; do
        if new_python "$candidate"; then echo "$candidate"; return; fi
    done
    fail "Python 3.11 or newer is missing; install it (Debian and Ubuntu: apt-get install python3-venv)"
}

has_chromium() { has chromium || has chromium-browser || has google-chrome; }

# What shows the order of system calls and what shifts the clock: tests of Linux alone use them.
find_missing_linux_tools() {
    has apt-get || return 0
    has strace || packages="$packages strace"
    has faketime || packages="$packages faketime"
}

# Whether readings come from a broker that was there before, by the variable or else by culex.toml.
uses_existing_broker() {
    if [ -n "${CULEX_BROKER_URL+set}" ]; then [ -n "$CULEX_BROKER_URL" ]; return; fi
    [ -f culex.toml ] || return 1
    while read -r line; do
        case $line in broker_url*=*[!\ =\"\']*) return 0 ;; esac
    done <culex.toml
    return 1
}

# The packages that are missing, by Debian's names, into $packages.
find_missing() {
    packages=
    if [ ! -x .venv/bin/python ]; then
        "$python" -c 'import ensurepip, venv' 2>/dev/null || packages="python3-venv"
    fi
    has mosquitto || { [ "$1" = run ] && uses_existing_broker; } || packages="$packages mosquitto"
    [ "$1" != test ] || has mosquitto_pub || packages="$packages mosquitto-clients"
    [ "$1" != test ] || has_chromium || packages="$packages chromium"
    [ "$1" != test ] || find_missing_linux_tools
    packages=${packages# }
}

install_packages() {
    [ -n "$packages" ] || return 0
    if has apt-get; then install_with_apt
    elif has brew; then install_with_brew
    else fail "missing: $packages; install it with your system's package manager, then run make again"
    fi
}

install_with_apt() {
    say "installing $packages with apt-get"
    set -- env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120
    # shellcheck disable=SC2086  # a list of names
    { quietly as_root "$@" update &&
        quietly as_root "$@" install -y --no-install-recommends $packages; } ||
        fail "apt-get could not install $packages; see above, then run make again"
    case " $packages " in *" mosquitto "*) stop_service ;; esac
}

# Debian starts its own broker on port 1883 after an install; Culex runs one with its own configuration.
stop_service() {
    if [ -d /run/systemd/system ]; then
        quietly as_root systemctl disable --now mosquitto.service || true
    elif [ -x /etc/init.d/mosquitto ]; then
        quietly as_root /etc/init.d/mosquitto stop || true
        quietly as_root update-rc.d mosquitto disable || true
    fi
}

install_with_brew() {
    say "installing $packages with brew"
    for package in $packages; do
        case $package in
            chromium) quietly brew install --cask chromium ;;
            mosquitto*) quietly brew install mosquitto ;;
            *) fail "Python's ensurepip is missing; run: brew install python@3.13" ;;
        esac || fail "brew could not install $package; see above, then run make again"
    done
}

# Leaves .venv holding what is in the requirements files; the stamp says which they were.
install_requirements() {
    stamp=.venv/culex-${1%.txt}
    wanted=$(cat requirements.txt "$1" | cksum)
    if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c ''; then return; fi
    # No stamp at all: new, cut short, or its Python is gone.
    if [ ! -f .venv/culex-requirements ] || ! .venv/bin/python -c '' 2>/dev/null; then
        say "making .venv"
        quietly "$python" -m venv --clear .venv ||
            fail "could not make .venv; see above, then run make again"
    fi
    rm -f .venv/culex-*
    say "installing Python packages from $1"
    quietly .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
        --no-compile --require-hashes -r "$1" ||
        fail "could not install $1; see above (is the network up?), then run make again"
    cat requirements.txt requirements.txt | cksum >.venv/culex-requirements
    echo "$wanted" >"$stamp"
}

case ${1:-} in
    run) requirements=requirements.txt ;;
    check | test) requirements=requirements-dev.txt ;;
    *) say "write: deploy/bootstrap.sh run | check | test"; exit 2 ;;
esac
python=$(find_python)
find_missing "$1"
install_packages
install_requirements "$requirements"
