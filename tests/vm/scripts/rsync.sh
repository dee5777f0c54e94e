cp -r /etc/default d
rsync -a d/ e
echo x >>d/useradd
rsync -av --delete d/ e
ls e
