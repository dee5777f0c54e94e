echo 'echo from profile' >p
HOME=/work bash -lic 'echo $-; f() { cat <<<here; }; f; ls *; read x < <(echo y); echo $x; kill -l >/dev/null; wait' </dev/null 2>/dev/null
bash -c 'set -o pipefail; a=(1 2); echo ${a[@]} >/dev/stderr; exec 3<>x; echo q >&3'
