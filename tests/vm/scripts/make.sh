printf '#include <stdio.h>\nint main(void){puts("hello");return 0;}\n' >a.c
printf 'a: a.c\n\tgcc -O2 -o a a.c\nclean:\n\trm -f a\n' >Makefile
#--- run
make -s
./a
make -s
make -s clean
make -j2 -s
