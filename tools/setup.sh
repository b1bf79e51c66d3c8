#!/usr/bin/env bash
# Sets up what is missing to run swarmlab from a checkout: Debian packages, an engine, a virtual environment. Safe to repeat.
# It says what it installs, never replaces an engine that answers, and where it may not install, says exactly what to do instead.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
die() { printf 'setup: %s\n' "$1" >&2; shift; for line in "$@"; do printf '  fix: %s\n' "$line" >&2; done; exit 3; }

# command -> Debian package that brings it
needed=(mmdebstrap:mmdebstrap busybox:busybox-static ip:iproute2 ssh:openssh-client iptables:iptables make:make)

# Hosts as virtual machines are large to install, so they come only when a scenario needs them or they are asked for.
vm_needed=(qemu-system-x86_64:qemu-system-x86 qemu-img:qemu-utils mmdebstrap:mmdebstrap mke2fs:e2fsprogs)

engine_answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

lacking() {
  local pair
  for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || [ -x "/usr/sbin/${pair%%:*}" ] || printf '%s\n' "${pair##*:}"
  done
}

missing_packages() {
  [ "$1" = vm ] && { lacking "${vm_needed[@]}"; return 0; }
  lacking "${needed[@]}"
  python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || printf 'python3-venv\n'
  if ! engine_answers; then
    command -v dockerd >/dev/null 2>&1 || [ -x /usr/sbin/dockerd ] || printf 'docker.io\n'
    command -v docker >/dev/null 2>&1 || { apt-cache show docker-cli >/dev/null 2>&1 && printf 'docker-cli\n'; }
  fi
  return 0
}

install_packages() {
  local packages
  mapfile -t packages < <(missing_packages "$1")
  [ "${#packages[@]}" -eq 0 ] && return 0
  command -v apt-get >/dev/null 2>&1 || die "missing here: ${packages[*]} (Debian's names), and there is no apt-get" "install them with this system's own package manager, then repeat"
  [ "$(id -u)" -eq 0 ] || die "missing here: ${packages[*]}, and installing them needs root" "sudo apt-get install --no-install-recommends ${packages[*]}"
  say "installing Debian packages: ${packages[*]}"
  local log; log=$(mktemp)
  # An old package list names files that the archive no longer has: so the list is fetched first.
  if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"; } >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    die "apt-get could not install ${packages[*]} (all it said: $log)" "apt-get install --no-install-recommends ${packages[*]}"
  fi
  rm -f "$log"
}

start_engine() {
  engine_answers && return 0
  if [ -n "${DOCKER_HOST:-}" ]; then
    die "no Docker Engine answers at DOCKER_HOST=$DOCKER_HOST" "start that engine, or unset DOCKER_HOST to use one on this machine"
  fi
  if [ "$(id -u)" -ne 0 ]; then
    die "no Docker Engine answers, and starting one needs root" "sudo systemctl start docker" "sudo usermod -aG docker $(id -un)   (if it runs, but this user may not use it; then log in again)"
  fi
  local log=/var/log/swarmlab-dockerd.log
  if [ -d /run/systemd/system ]; then
    say "starting the Docker Engine: systemctl start docker"
    systemctl start docker || die "the engine did not start" "journalctl -u docker"
  else
    say "starting the Docker Engine: dockerd (no init system here; its log is $log)"
    setsid nohup dockerd >"$log" 2>&1 </dev/null &
  fi
  local tries=0
  until engine_answers; do
    tries=$((tries + 1))
    [ "$tries" -le 120 ] || die "the Docker Engine does not answer after 60 s" "look into $log or journalctl -u docker"
    sleep 0.5
  done
}

pip() { .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@"; }

make_environment() {
  local python=${PYTHON:-python3} stamp=.venv/.stamp want
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    die "$("$python" --version 2>&1 || echo 'no python3'): Python 3.11 or later is needed" "apt-get install python3 python3-venv   (Debian 12 or later), or PYTHON=/path/to/python3.11 make up"
  want="$1 $(cat pyproject.toml requirements/*.txt | sha256sum | cut -d' ' -f1)"
  [ -x .venv/bin/swarmlab ] && case "$(cat "$stamp" 2>/dev/null)" in "$want" | "dev ${want#* }") return 0 ;; esac
  say "making the virtual environment .venv and installing Python packages into it"
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  # Exactly the packages of the lock file, then this checkout itself, which adds none.
  { pip --require-hashes --requirement "requirements/$1.txt" && pip --no-deps --editable .; } ||
    die "pip could not install the Python packages of requirements/$1.txt" "is PyPI reachable from here? \`.venv/bin/python -m pip install --require-hashes --requirement requirements/$1.txt\` says more"
  printf '%s\n' "$want" >"$stamp"
}

# Containers share this kernel; what it lacks, machines have.
machines_if_needed() {
  local lacks
  # A plan that fails is `up`'s to explain.
  lacks=$(.venv/bin/swarmlab plan "$1" --provider "${SWARMLAB_UP_PROVIDER:-auto}" --format json 2>/dev/null |
    .venv/bin/python -c 'import json, sys; print("; ".join(json.load(sys.stdin)["lacks"]))' 2>/dev/null) || return 0
  [ -n "$lacks" ] && [ "${SWARMLAB_UP_PROVIDER:-auto}" = auto ] && [ -n "$(missing_packages vm)" ] || return 0
  say "this kernel has no $lacks: so the hosts of $1 will be virtual machines"
  say "(with SWARMLAB_UP_PROVIDER=docker they are containers all the same, and what cannot be shown there is inconclusive)"
  install_packages vm
}

case "${1:-run}" in
  run) install_packages run; start_engine; make_environment run; [ -z "${2:-}" ] || machines_if_needed "$2" ;;
  dev) install_packages dev; install_packages vm; start_engine; make_environment dev ;;
  lint) make_environment dev ;;
  vm) install_packages vm ;;
  *) die "unknown: $1" "tools/setup.sh run [SCENARIO] | dev | lint | vm" ;;
esac
