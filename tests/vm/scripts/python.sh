python3 -c 'import json, subprocess, sqlite3, ssl, socket, email; subprocess.run(["true"]); open("x","w").write("y")'
python3 -m venv --without-pip v
v/bin/python -c 'import sys; print(sys.prefix)'
python3 -m compileall -q /usr/lib/python3.11/json >/dev/null || true
