#!/usr/bin/env bash
# Print the path of a Python that has what the project in folder $1 needs, making a virtual environment for it once: models/
# (PyTorch, about 3 GB) or clients/python/.
set -euo pipefail
cd "$(dirname "$0")/.."
project=$1/pyproject.toml
case $1 in
models) default=python what='PyTorch into a virtual environment (about 3 GB, once)' ;;
*) default=${1//\//-} what="what $1 needs into a virtual environment (once)" ;;
esac
envs=${XDG_CACHE_HOME:-$HOME/.cache}/leadline
env_dir=$envs/$default
if [[ $1 == models ]]; then env_dir=${LEADLINE_PYTHON_ENV:-$env_dir}; fi
made=$env_dir/$(sha256sum "$project" | cut -c1-16)
if [[ ! -e $made ]]; then
  echo "Installing $what ..." >&2
  if ! python3 -m venv --clear "$env_dir" >/dev/null 2>&1; then
    sh scripts/prepare.sh python3-venv-is-missing:python3-venv >&2
    python3 -m venv --clear "$env_dir" >&2
  fi
  # The packages alone and not the project: the environment may outlive this clone.
  "$env_dir/bin/python" - "$project" >"$env_dir/wanted.txt" <<'PYTHON'
import sys

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    from pip._vendor import tomli as tomllib
project = tomllib.load(open(sys.argv[1], "rb"))["project"]
print("\n".join(project["dependencies"] + project["optional-dependencies"]["test"]))
PYTHON
  "$env_dir/bin/pip" install --quiet --disable-pip-version-check -r "$env_dir/wanted.txt" >&2
  touch "$made"
fi
echo "$env_dir/bin/python"
