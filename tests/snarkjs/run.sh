#!/usr/bin/env bash
# The proof core's circuits, keys and proofs as snarkjs sees them: an .r1cs file that it reads and
# whose witness it finds satisfied, and a proof that it verifies. Needs node, npm and bash.
# Skips, and says so, only where the package cannot be installed.
set -euo pipefail

version=0.7.6
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! npm install --silent --no-save --no-package-lock --no-audit --no-fund --ignore-scripts \
    --prefix "$work" "snarkjs@$version"; then
    echo "################################################################" >&2
    echo "# SKIPPED: snarkjs $version could not be installed from npm.   #" >&2
    echo "# The interoperability of keys and proofs was NOT tested.      #" >&2
    echo "################################################################" >&2
    exit 0
fi

passed=0
snarkjs() { (cd "$work" && npx --no-install snarkjs "$@"); }
# expect EXIT TEXT COMMAND...: the command ends with this code and prints this text.
expect() {
    local wanted=$1 text=$2 got=0
    shift 2
    "$@" >"$work/log" 2>&1 || got=$?
    if [ "$got" != "$wanted" ] || ! grep -qF -- "$text" "$work/log"; then
        cat "$work/log" >&2
        echo "FAILED: $*: expected exit $wanted and '$text', got exit $got" >&2
        exit 1
    fi
    passed=$((passed + 1))
    echo "ok: $* (exit $got, $text)"
}

(cd "$here/../.." && cargo run --quiet --release -p galen-circuits --example snarkjs -- "$work")

for line in "Curve: bn-128" "# of Wires: 411" "# of Constraints: 408" "# of Public Inputs: 2" \
    "# of Private Inputs: 408" "# of Outputs: 0"; do
    expect 0 "$line" snarkjs r1cs info circuit.r1cs
done
expect 0 "WITNESS IS CORRECT" snarkjs wtns check circuit.r1cs witness.wtns
expect 1 "WITNESS IS NOT CORRECT" snarkjs wtns check circuit.r1cs witness_changed.wtns
expect 0 "OK!" snarkjs groth16 verify verification_key.json public.json proof.json
expect 1 "Invalid proof" snarkjs groth16 verify verification_key.json public_changed.json proof.json
echo "$passed passed, 0 failed"
