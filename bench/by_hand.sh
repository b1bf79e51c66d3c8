#!/usr/bin/env bash
# What somebody does by hand, with the docker CLI only and no proof: three hosts as containers, a Swarm, the three-tier stack, all tasks
# running. Usage: by_hand.sh up NODE_IMAGE STAND_IN_TAR COMPOSE_FILE | down. The node image starts sshd and dockerd by itself.
set -euo pipefail
name=byhand
hosts=(1 2 3)

down() {
  docker rm --force --volumes "${hosts[@]/#/$name-host}" >/dev/null 2>&1 || true
  docker network rm "$name" >/dev/null 2>&1 || true
}

answers() { for _ in $(seq 2400); do "$@" >/dev/null 2>&1 && return 0; sleep 0.05; done; return 1; }

up() {
  local image=$1 archive=$2 compose=$3 i
  docker network create "$name" >/dev/null
  for i in "${hosts[@]}"; do
    docker run --detach --name "$name-host$i" --hostname "host$i" --network "$name" --publish 127.0.0.1::22 \
      --cap-add ALL $(cap_drop) --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined \
      --device-cgroup-rule 'a *:* rwm' --cgroupns private --tmpfs /run:exec,mode=755 --tmpfs /tmp:exec,mode=1777 \
      --volume /var/lib/docker --volume /var/lib/containerd "$image" >/dev/null &
  done
  wait
  for i in "${hosts[@]}"; do answers docker exec "$name-host$i" docker info; done
  local address token
  address=$(docker inspect --format "{{(index .NetworkSettings.Networks \"$name\").IPAddress}}" "$name-host1")
  docker exec "$name-host1" docker swarm init --advertise-addr "$address" >/dev/null
  token=$(docker exec "$name-host1" docker swarm join-token --quiet worker)
  for i in 2 3; do docker exec "$name-host$i" docker swarm join --token "$token" "$address:2377" >/dev/null & done
  wait
  for i in "${hosts[@]}"; do
    answers docker exec "$name-host1" docker node update --label-add "swarmlab.host=host$i" "host$i"
    docker exec --interactive "$name-host$i" docker load --quiet <"$archive" >/dev/null
  done
  docker exec --interactive "$name-host1" docker stack deploy --resolve-image never --compose-file - three-tier <"$compose" >/dev/null
  answers running
}

running() {
  local counts
  counts=$(docker exec "$name-host1" docker service ls --format '{{.Replicas}}' | cut -d' ' -f1)
  [ "$(wc -l <<<"$counts")" -eq 3 ] && ! awk -F/ '$1 != $2 {exit 1}' <<<"$counts" && return 1
  [ "$(wc -l <<<"$counts")" -eq 3 ]
}

# Where the bounding set lacks a capability the engine cannot give it.
cap_drop() { (( 0x$(awk '/CapBnd/ {print $2}' /proc/self/status) & 1 << 24 )) || printf -- '--cap-drop SYS_RESOURCE'; }

"$@"
