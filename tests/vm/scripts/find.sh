find /etc -name '*.conf' -size -2k -newer /etc/passwd
find . -type f -exec grep -l x {} +
echo a b | xargs -n1 echo
