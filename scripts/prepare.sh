#!/bin/sh
# Make this clone ready to run: Node's version, the npm packages, and the programs and libraries (*.so*) named as
# program:package.
# Usage: scripts/prepare.sh ffmpeg:ffmpeg redis-server:redis-server
set -eu

fail() {
  echo "$1" >&2
  exit 1
}

# Debian's package manager, where this user may use it without being asked.
install_packages() {
  command -v apt-get >/dev/null 2>&1 || fail "Missing: $1. Install it with your system's package manager (macOS: brew install $1)"
  if [ "$(id -u)" -eq 0 ]; then
    as_root=""
  elif sudo -n true 2>/dev/null; then
    as_root="sudo -n"
  elif command -v sudo >/dev/null 2>&1; then
    fail "Missing: $1. Install with: sudo apt-get install $1"
  else
    fail "Missing: $1. Install as root, with: apt-get install $1"
  fi
  echo "Installing $1 (once) ..." >&2
  said=$(mktemp)
  trap 'rm -f "$said"' EXIT
  # The package lists of a fresh machine may be empty; old ones may still do. Its first updates may be under way.
  $as_root apt-get -qq update >"$said" 2>&1 || true
  # shellcheck disable=SC2086 # the list is words
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install --no-install-recommends -y $1 \
    >>"$said" 2>&1 || {
    # Of a mirror that is out of reach it says the same of each package.
    grep '^E:' "$said" | sed -n '1,2p;3s/.*/.../p' >&2
    fail "apt-get could not install $1. Once its mirror is in reach, run this again"
  }
}

command -v node >/dev/null 2>&1 || fail "Node.js is missing; install version 20.19 or later from https://nodejs.org"
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  fail "Node.js $(node --version) is too old; install version 20.19 or later from https://nodejs.org"

is_there() {
  case $1 in
    *.so*) PATH=$PATH:/sbin:/usr/sbin ldconfig -p | grep -q "[[:space:]]$1 " ;;
    *) PATH=$PATH:/sbin:/usr/sbin command -v "$1" >/dev/null 2>&1 ;;
  esac
}

missing=""
for pair in "$@"; do
  is_there "${pair%%:*}" || missing="$missing ${pair##*:}"
done
[ -z "$missing" ] || install_packages "${missing# }"

root=$(cd "$(dirname "$0")/.." && pwd)
installed="$root/node_modules/.package-lock.json"
if [ ! -e "$installed" ] || [ -n "$(find "$root/package-lock.json" -newer "$installed")" ]; then
  echo "Installing the npm packages (once) ..." >&2
  (cd "$root" && npm ci --no-audit --no-fund --loglevel=error >&2) ||
    fail "npm could not install the packages of package-lock.json. Once its registry is in reach, run this again"
fi
