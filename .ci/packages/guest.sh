# Makes a system of its own of this one, in new namespaces: everything that is written
# goes to memory, nothing of what runs outside is seen, and only loopback is there. Its
# first process is $1: systemd, or sleep. $2 is a folder for its files, and $3 that of the
# system to begin with, where it is not this one. Started by the tests, in unshare.
set -euo pipefail
mount --make-rprivate /
root=$2/root
mount -t tmpfs tmpfs "$2"
mkdir -p "$2/upper" "$2/work" "$root"
mount -t overlay overlay -o "lowerdir=${3:-/},upperdir=$2/upper,workdir=$2/work" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ip link set lo up
if [ "$1" = systemd ]; then
  mount -t sysfs -o ro sysfs "$root/sys"
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  else
    mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
    mkdir "$root/sys/fs/cgroup/systemd"
    mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
  fi
  # Nothing of what prepares a machine is to run here, but for the journal.
  rm -rf "$root"/usr/lib/systemd/system/*.wants "$root"/etc/systemd/system/*.wants
  mkdir "$root/usr/lib/systemd/system/sockets.target.wants"
  ln -s ../systemd-journald.socket "$root/usr/lib/systemd/system/sockets.target.wants/"
  ln -sf /usr/lib/systemd/system/basic.target "$root/etc/systemd/system/default.target"
  mount --make-rshared "$root" # systemd leaves that to who makes a container
  echo ready
  exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" /lib/systemd/systemd --system >/dev/null 2>&1
fi
echo ready
exec chroot "$root" sleep infinity
