printf '#include <stdio.h>\nint main(void){puts("hello");return 0;}\n' >a.c
printf 'a: a.c\n\tgcc -O2 -o a a.c\nclean:\n\trm -f a\n' >Makefile
#--- run
gcc -O1 -o a a.c
./a
gcc -c a.c
ar rcs liba.a a.o
gcc -shared -fPIC -o liba.so a.c
strip a
ldd a
objdump -f a
