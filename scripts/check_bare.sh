#!/bin/sh
# Runs `make demo` and `make test` of the committed tree in a bare Debian 12 that has nothing but
# Debian's base and make, in a chroot made for it. Needs root and debootstrap (scripts/setup.sh --dev).
#
#   scripts/check_bare.sh FOLDER     FOLDER must not exist; it is left behind for a look
set -eu
[ $# -eq 1 ] || { echo "usage: scripts/check_bare.sh FOLDER" >&2; exit 2; }
repository=$(cd "$(dirname "$0")/.." && pwd)
root=$1
[ ! -e "$root" ] || { echo "check_bare.sh: '$root' exists" >&2; exit 2; }

# The mirror and proxy that this machine uses itself.
mirror=$(sed -nE 's|^deb +(\[[^]]*\] +)?(http[^ ]+) +bookworm +.*|\2|p' /etc/apt/sources.list 2>/dev/null | head -1)
[ -n "$mirror" ] || mirror=$(sed -nE 's|^URIs: +||p' /etc/apt/sources.list.d/*.sources 2>/dev/null | head -1)
debootstrap --variant=minbase --include=make,ca-certificates bookworm "$root" "${mirror:-http://deb.debian.org/debian}" >/dev/null
rm -f "$root/etc/apt/sources.list"
cp -r /etc/apt/sources.list* /etc/apt/apt.conf.d /etc/apt/trusted.gpg* "$root/etc/apt/" 2>/dev/null || true
cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
cp /etc/hosts "$root/etc/hosts" 2>/dev/null || true
mount --bind /proc "$root/proc"
mount --bind /dev "$root/dev"
trap 'umount "$root/proc" "$root/dev"' EXIT

git clone -q "$repository" "$root/sworn"
run() {
  start=$(date +%s)
  chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb \
    http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" sh -c "cd /sworn && $1"
  echo "== '$1' took $(($(date +%s) - start)) s"
}
run "make demo"
run "make test"
