# Shared by the scripts of this folder; sourced, not run. Needs bash.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1

say() { printf '\n== %s\n' "$*"; }
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Only installing packages needs root.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "installing packages needs root: run this as root, or install sudo"
  fi
}

# Under sudo everything else runs as the one who called it, so that the tree does not end up owned by root.
as_caller() {
  if [ "$(id -u)" -eq 0 ] && [ -n "${SUDO_USER:-}" ] && [ "$SUDO_USER" != root ]; then
    sudo -u "$SUDO_USER" -H -- "$@"
  else
    "$@"
  fi
}

# What building needs, and what the demonstration's calls need; make is what cmake takes by itself when an author
# builds a plugin.
build_packages() {
  echo g++ cmake make ninja-build lld libpoco-dev nlohmann-json3-dev libssl-dev libre2-dev libcli11-dev libtoml11-dev \
    libvalijson-dev libseccomp-dev curl
  # Development packages of two Boost versions exclude each other: leave alone what is there.
  [ -e /usr/include/boost/dll/shared_library.hpp ] || echo libboost-dev
}

is_installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# install_packages NAME…: installs those that are missing; asks the network only then.
install_packages() {
  local name missing=()
  command -v dpkg-query >/dev/null || fail "this script installs Debian packages; elsewhere install: $*"
  for name in "$@"; do
    is_installed "$name" || missing+=("$name")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    echo "all packages are installed"
    return
  fi
  echo "installing ${missing[*]}"
  as_root apt-get -qq update || fail "apt-get update failed: is the network there?"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" \
    >/dev/null || fail "apt-get could not install ${missing[*]} (Debian 12 has them all)"
}

# install_if_offered NAME: the same for what one can do without.
install_if_offered() {
  is_installed "$1" && return
  echo "installing $1, if there is such a package"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$1" >/dev/null 2>&1 ||
    echo "no $1 here"
}

# cmake of Debian 12 is the oldest that reads our presets.
check_cmake() {
  local version
  version=$(cmake --version | sed -n '1s/[^0-9]*//p')
  if [ "$(printf '3.25\n%s\n' "$version" | sort -V | head -n 1)" != 3.25 ]; then
    fail "cmake $version is older than 3.25, that of Debian 12"
  fi
}

seconds_since() { echo $((SECONDS - $1)); }
