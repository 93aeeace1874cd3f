#!/bin/bash
# Turns a folder into a booted machine: $1 overlay root, $2 control group. Runs as PID 1 of new
# mount, pid, uts and ipc namespaces, twice: the control group must be ours before its namespace is.
set -eu
root=$1
if [ "${3:-}" != again ]; then
    mount --make-rprivate /
    echo 0 >"$2/cgroup.procs"
    exec unshare --cgroup -- bash "$0" "$root" "$2" again
fi
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
    IFS=: read -r name major minor <<<"$node"
    mknod -m 666 "$root/dev/$name" c "$major" "$minor"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
# Where sysfs offers the place of version 1, version 2 is mounted over it all the same.
mount -t tmpfs tmpfs "$root/sys/fs/cgroup" 2>/dev/null || true
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
# A machine of its own, which starts nothing that this one has enabled.
: >"$root/etc/machine-id"
rm -f "$root"/etc/systemd/system/*.wants/*
# Images for containers forbid packages to start services; this machine is none.
rm -f "$root/usr/sbin/policy-rc.d"
mkdir -p "$root/old"
cd "$root"
pivot_root . old
umount -l /old
# Without this, credentials of dynamic users cannot be read.
mount --make-rshared /
exec env -i container=invsyncd-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd systemd.unit=multi-user.target </dev/null >/dev/null 2>&1
