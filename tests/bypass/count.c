/* 43 when it got the argument that it must not get. */
int main(int argc, char **argv) { return argc > 0 && argv[0][0] ? 43 : 10; }
