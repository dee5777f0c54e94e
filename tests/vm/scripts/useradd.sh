mkdir -p root/etc root/home root/bin
cp /etc/passwd /etc/group /etc/shadow /etc/gshadow /etc/login.defs root/etc
cp -r /etc/pam.d /etc/default /etc/skel root/etc
#--- run
useradd -R /work/root -m -s /bin/sh tester 2>/dev/null || true
groupadd others
useradd -m -g others someone
usermod -aG users someone
echo someone:x | chpasswd
passwd -S someone
userdel -r someone
groupdel others
chroot root /bin/true 2>/dev/null || true
ls /home
