#!/bin/sh
# Find a Vulkan driver that runs on the processor, so that the WebGPU tests run on any machine: Mesa's lavapipe, 25 or later
# (ONNX Runtime's WebGPU refuses the 22.3 of Debian 12). Leaves lvp.json, which names it, in ~/.cache/leadline/vulkan.
# On Debian 12 the driver comes from the backports and is unpacked there; the system keeps its own.
set -eu

fail() {
  echo "No software Vulkan driver, the WebGPU tests will be skipped: $1" >&2
  exit 1
}

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || fail 'it takes Linux on x64'
folder=${XDG_CACHE_HOME:-$HOME/.cache}/leadline/vulkan
[ ! -e "$folder/lvp.json" ] || exit 0
mkdir -p "$folder"

sh "$(dirname "$0")/prepare.sh" libvulkan.so.1:libvulkan1 libvulkan_lvp.so:mesa-vulkan-drivers ||
  fail 'mesa-vulkan-drivers is not installed'
driver=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p | sed -n 's/.*libvulkan_lvp.so.* => //p' | head -n 1)

# Where dpkg does not know it, it is taken to be new.
version=$(dpkg-query -W -f '${Version}' mesa-vulkan-drivers 2>/dev/null || echo 25)
if [ "${version%%.*}" -lt 25 ]; then
  # shellcheck disable=SC1091
  [ "$(. /etc/os-release && echo "${VERSION_CODENAME:-}")" = bookworm ] || fail "Mesa $version is older than 25"
  echo 'Fetching Mesa 25 from the backports of Debian 12 (once) ...' >&2
  apt=$folder/apt
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
  keys=/usr/share/keyrings/debian-archive-keyring.gpg
  # The backports lie beside the releases, on whichever mirror this machine uses.
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep '/debian/*$' | head -n 1)
  [ -n "$mirror" ] || fail 'no mirror of Debian is among the sources of apt'
  echo "deb [signed-by=$keys] $mirror bookworm-backports main" > "$apt/sources.list"
  options="-qq -o Dir::Etc::SourceList=$apt/sources.list -o Dir::Etc::SourceParts=/dev/null
    -o Dir::State::Lists=$apt/lists -o Dir::Cache=$apt/cache -o APT::Sandbox::User="
  # shellcheck disable=SC2086 # the options are words
  (cd "$apt" && apt-get $options update >&2 && apt-get $options download mesa-vulkan-drivers >&2) ||
    fail 'the backports cannot be reached'
  dpkg-deb --extract "$apt"/mesa-vulkan-drivers_*.deb "$apt/root"
  mv "$apt"/root/usr/lib/*/libvulkan_lvp.so "$folder/"
  rm -r "$apt"
  driver=$folder/libvulkan_lvp.so
fi
[ -e "$driver" ] || fail 'mesa-vulkan-drivers holds no lavapipe'
printf '{ "file_format_version": "1.0.0", "ICD": { "library_path": "%s", "api_version": "1.3.0" } }\n' "$driver" > "$folder/lvp.json"
