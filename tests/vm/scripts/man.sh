printf '.TH X 1\n.SH NAME\nx - y\n' >page
#--- run
man -l page
man -k printf || true
echo x | less -F
