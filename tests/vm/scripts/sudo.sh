sudo -n -u nobody id
sudo -n sh -c 'echo $SUDO_USER'
sudo -l >/dev/null
visudo -cf /etc/sudoers
