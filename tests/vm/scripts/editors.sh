printf 'a\nhello\n.\nw f\nq\n' | ed -s
vim.tiny -u NONE -es -c 's/hello/bye/' -c wq f || true
cat f
printf 'x' | vi -es f 2>/dev/null || true
