#!/usr/bin/env bash
# Make this clone ready to run: Node's version, the npm packages, and the system programs named as program:package.
# Usage: scripts/prepare.sh ffmpeg:ffmpeg redis-server:redis-server
set -euo pipefail
cd "$(dirname "$0")/.."

stop() { printf '%s\n' "$*" >&2; exit 1; }

command -v node >/dev/null || stop 'Node.js 20.19 or newer is needed and no "node" was found: see https://nodejs.org'
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  stop "Node.js 20.19 or newer is needed; this is $(node --version)"

missing=()
for pair in "$@"; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
if ((${#missing[@]} > 0)); then
  as_root=()
  if [[ $(id -u) != 0 ]]; then as_root=(sudo -n); fi
  if command -v apt-get >/dev/null && "${as_root[@]}" true 2>/dev/null; then
    echo "Installing ${missing[*]} with apt-get ..." >&2
    "${as_root[@]}" apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2 ||
      stop "apt-get could not install them. Please run: sudo apt-get install ${missing[*]}"
    # Debian starts a Redis server on the default port once installed; Leadline's tests start their own.
  else
    stop "Please install first: sudo apt-get install ${missing[*]}"
  fi
fi

installed=node_modules/.package-lock.json
if [[ ! -e $installed || package-lock.json -nt $installed ]]; then
  echo 'Installing the npm packages ...' >&2
  npm ci --no-audit --no-fund --loglevel=error >&2
fi
