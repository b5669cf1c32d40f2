#!/usr/bin/env bash
# Print the path of a Python that has what models/ needs, making a virtual environment for it once.
set -euo pipefail
cd "$(dirname "$0")/.."
env_dir=${LEADLINE_PYTHON_ENV:-${XDG_CACHE_HOME:-$HOME/.cache}/leadline/python}
wanted=$(sha256sum models/requirements.txt | cut -c1-16)
if [[ ! -e $env_dir/$wanted ]]; then
  echo 'Installing PyTorch into a virtual environment (about 3 GB, once) ...' >&2
  python3 -m venv --clear "$env_dir" 2>/dev/null >&2 || {
    sh scripts/prepare.sh python3-venv-is-missing:python3-venv >&2
    python3 -m venv --clear "$env_dir" >&2
  }
  "$env_dir/bin/pip" install --quiet --disable-pip-version-check -r models/requirements.txt >&2
  touch "$env_dir/$wanted"
fi
echo "$env_dir/bin/python"
