/* 43 when it got an argument that it must not get: any, but for a good one behind its name. */
int main(int argc, char **argv) {
    if (argc > 1)
        return argv[1][0] == 'g' ? 10 : 43;
    return argc > 0 && argv[0][0] ? 43 : 10;
}
