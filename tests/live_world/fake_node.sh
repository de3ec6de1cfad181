#!/bin/sh
# Follows the ready-line protocol of a node and serves nobody: `fake_node.sh node --config .../nodes/n1/seat.json`.
# It ends at the end of its stdin, as a node does.
name=$(basename "$(dirname "$3")")
echo "{\"node\":${name#n},\"pid\":$$,\"epoch\":1,\"client_port\":1,\"peer_port\":1}"
exec cat
