# shellcheck shell=bash
# Unpacking Debian packages beside the system. Sourced by install.

PEERS_DIR=${CAUSEWAY_PEERS_DIR:-${TMPDIR:-/tmp}/causeway-peers}
mkdir -p "$PEERS_DIR"

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() {
  say "$*"
  exit 1
}

# need_package NAME: installs a Debian package on this machine unless it is there.
need_package() {
  if dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; then return; fi
  [[ $(id -u) -eq 0 ]] || die "run as root once, or: apt-get install --no-install-recommends $1"
  say "installing $1"
  local apt=(apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Check-Valid-Until=false)
  local log=$PEERS_DIR/apt.log
  export DEBIAN_FRONTEND=noninteractive
  "${apt[@]}" install -y --no-install-recommends "$1" >"$log" 2>&1 ||
    { "${apt[@]}" update >>"$log" 2>&1 && "${apt[@]}" install -y --no-install-recommends "$1" >>"$log" 2>&1; } ||
    { tail -n 20 "$log" >&2 && die "could not install $1"; }
}

# system_package NAME: the same, one at a time.
system_package() {
  exec 9>"$PEERS_DIR/apt.lock"
  flock 9
  need_package "$1" 9>&-
  exec 9>&-
}

# mirror: where this machine's apt finds Debian; empty lets mmdebstrap choose.
mirror() {
  if [[ -n ${CAUSEWAY_PEERS_MIRROR:-} ]]; then
    printf '%s' "$CAUSEWAY_PEERS_MIRROR"
    return
  fi
  # shellcheck disable=SC2016 # a variable of apt
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' 2>/dev/null |
    sort -u | head -n 1
}

# unpack SUITE FOLDER PACKAGE...: the packages with all they depend on. Signatures are checked; only the
# date a Release file is valid until is not: snapshots, mirrors that lag and clocks that lead break it.
unpack() {
  local suite=$1 folder=$2 packages
  shift 2
  packages=$(IFS=, && printf '%s' "$*")
  rm -rf "$folder" "$folder.new"
  say "unpacking $packages of Debian $suite"
  mmdebstrap --quiet --variant=extract --include="$packages" \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Retries "3"' \
    --aptopt='APT::Install-Recommends "false"' \
    "$suite" "$folder.new" $(mirror) >"$folder.log" 2>&1 || return 1
  rm -rf "$folder.new"/{dev,proc,sys} "$folder.new"/usr/share/{doc,man,locale,info}
  mv "$folder.new" "$folder"
}

# loader FOLDER: the dynamic loader of an unpacked suite. Its absolute links are meant from FOLDER.
loader() {
  local path
  for path in "$1"/{lib64,usr/lib64,lib/*-linux-gnu*,usr/lib/*-linux-gnu*,lib}/ld-linux*.so.*; do
    if [[ -L $path && $(readlink "$path") == /* ]]; then path=$1$(readlink "$path"); fi
    if [[ -f $path ]]; then
      readlink -f "$path"
      return
    fi
  done
  return 1
}

# libraries FOLDER: its library folders, joined by colons; also those the suite's ld.so.conf.d adds.
libraries() {
  local path list=''
  for path in "$1"/{usr/,}lib/*-linux-gnu{,/blas,/lapack,/pulseaudio,/kamailio} "$1"/{usr/,}lib; do
    if [[ -d $path ]]; then list+=${list:+:}$path; fi
  done
  printf '%s' "$list"
}

# launcher FOLDER PROGRAM: writes FOLDER.run, which runs PROGRAM. The loader is reached by a link named
# for the program, so that ps shows the program.
launcher() {
  local folder=$1 name=${2##*/} linker
  linker=$(loader "$folder") || die "no dynamic loader in $folder"
  mkdir -p "$folder/loader"
  ln -sfn "$linker" "$folder/loader/$name"
  printf '#!/bin/sh\nexec %q --library-path %q %q "$@"\n' \
    "$folder/loader/$name" "$(libraries "$folder")" "$folder/$2" >"$folder.run"
  chmod 755 "$folder.run"
}

# provide NAME PROGRAM SUITE... -- PACKAGE...: takes the first suite that can be unpacked, prints the launcher.
provide() {
  local name=$1 program=$2 suites=() suite folder
  shift 2
  while [[ $1 != -- ]]; do
    suites+=("$1")
    shift
  done
  shift
  if [[ -n ${CAUSEWAY_PEERS_SUITE:-} ]]; then suites=("$CAUSEWAY_PEERS_SUITE"); fi
  exec 9>"$PEERS_DIR/$name.lock"
  flock 9
  for suite in "${suites[@]}"; do
    folder=$PEERS_DIR/$name-$suite
    if [[ -x $folder.run ]]; then
      printf '%s\n' "$folder.run"
      return
    fi
  done
  need_package mmdebstrap 9>&-
  for suite in "${suites[@]}"; do
    folder=$PEERS_DIR/$name-$suite
    local packages=("$@")
    # Its codec is a package of its own there.
    if [[ $name-$suite == asterisk-bullseye ]]; then packages+=(asterisk-opus); fi
    if unpack "$suite" "$folder" "${packages[@]}" 9>&-; then
      launcher "$folder" "$program"
      printf '%s\n' "$folder.run"
      return
    fi
    tail -n 5 "$folder.log" >&2
    say "$name of Debian $suite cannot be had"
  done
  die "$name cannot be had"
}
