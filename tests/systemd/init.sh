#!/bin/bash
# From fresh PID, mount, cgroup, network, UTS and IPC namespaces to systemd as
# PID 1 over an overlay of /. Nothing of it outlives the namespaces.
#   init.sh DIRECTORY    (empty, of the caller's; holds the mount points)
set -euo pipefail
directory=$1

mount --make-rprivate /
mount -t tmpfs -o size=512m,mode=755 tmpfs "$directory"
mkdir "$directory"/{upper,work,root}
mount -t overlay -o "lowerdir=/,upperdir=$directory/upper,workdir=$directory/work" \
	overlay "$directory/root"
root=$directory/root

mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755,nosuid tmpfs "$root/dev"
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"

for device in null:3 zero:5 full:7 random:8 urandom:9; do
	mknod -m 666 "$root/dev/${device%:*}" c 1 "${device#*:}"
done
mknod -m 666 "$root/dev/tty" c 5 0
mkdir "$root"/dev/{pts,shm}
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for number in 0:stdin 1:stdout 2:stderr; do
	ln -s "/proc/self/fd/${number%:*}" "$root/dev/${number#*:}"
done

# Only the journal and what the test starts; nothing of the host's services.
mkdir -p "$root/run/systemd/system"
cat >"$root/run/systemd/system/postern-test.target" <<'UNIT'
[Unit]
Description=Where a test of Postern's packages begins
Wants=systemd-journald.service
After=systemd-journald.service
AllowIsolate=yes
UNIT
rm -f "$root/usr/sbin/policy-rc.d"
hostname postern-test
systemd-id128 new >"$root/etc/machine-id"

mkdir "$root/tmp/old"
cd "$root"
pivot_root . tmp/old
umount -l /tmp/old
rmdir /tmp/old
# As a container's manager does: credentials reach services by propagation.
mount --make-rshared /
exec env -i container=postern-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	/lib/systemd/systemd --system --unit=postern-test.target \
	--log-target=console --log-level=warning --show-status=no
