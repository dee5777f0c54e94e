perl -e 'open F,">x"; print F "a\n"; close F; open F,"x"; print <F>; rename "x","y"; unlink "y"; print `echo from perl`; mkdir "d", 0700; opendir D,"."; readdir D; symlink "a","b"; system("true");'
perl -pe 's/a/b/' /etc/hostname
