#!/usr/bin/env bash
# What has to be measured on a card, in under ten minutes: does it compute what the processor computes, how fast are LoRA trainings and embeddings,
# how much memory do they take and how much was predicted; with PEFT and sentence-transformers on the same card beside it.
#
#     benches/card.sh --help
#
# How a training is timed. A run's own figure (train_samples_per_second) counts all of its steps, and on a card the first ones compile kernels and choose
# among them by timing. So the training file holds the same rows several times over, and training_log.csv gets a row at the end of each time through. This
# script notes when each row is written. The first time through is the warm-up; throughput is that of the others. The peers do the same: one pass before the
# clock starts.
#
# What a first time costs. ensayo keeps its choices of kernels, and this script keeps them beyond the call, for each kind of card. A training in the shape of
# RoBERTa has about 75 choices to make, for each number format, and each compiles a dozen candidates: minutes. Later calls compile what was chosen, no more.
#
# How embedding is timed. The same embedder reads a small and a large document, each in a process of its own; loading and compiling take equally long in both,
# and the difference is the time of the further chunks. Each has a process before it that fills the cache of kernel choices.
set -euo pipefail
export LC_ALL=C PYTHONUTF8=1 TOKENIZERS_PARALLELISM=true

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")

usage() {
    cat <<'END'
Usage: benches/card.sh [--device cuda:0] [--quick] [--minutes N] [--dry-run]
                     [--without-python] [--out DIR]

Measures ensayo on an NVIDIA card, and transformers + PEFT and sentence-transformers
on the same card: parity with the processor, throughput, memory. At most ten minutes.
Writes DIR/card.csv, one figure a line, and DIR/card.md, tables for docs/cards.md.

The first time on a card, most of the time goes into compiling and choosing kernels.
What was chosen is kept in DIR/kernel-choices. Where that time was too short for some
part, call again, or give it more once with --minutes.

  --device DEVICE    cuda:N or cpu; default cuda:0
  --quick            half as much of everything, five minutes at most
  --minutes N        other than ten or five minutes; parts get their share of it
  --dry-run          every part with tiny shapes and without the peers; figures are
                     written but mean nothing, and parity is not judged
  --without-python   leave the peers out
  --out DIR          default benches/card/out

Environment:
  ENSAYO             the program; default target/release/ensayo, then ensayo in PATH
  CARD_PYTHON        a virtual environment's folder, or a Python program, with torch,
                     transformers, peft and sentence-transformers; default python3
  REVIEWS            a CSV with text and label to train on; default invented texts
                     whose lengths are distributed like those of Steam reviews
  ROBERTA, DEBERTA   folders with config.json and tokeniser of the two encoders, to go
                     with REVIEWS; default their shapes, with the quick start's tokeniser

Exit codes: 0 all passed, 1 something failed or there was no time for it, 2 bad input,
130 interrupted.
END
}

say() { printf '%s\n' "$*" >&2; }

refuse() {
    say "error: $*"
    exit 2
}

# ---------------------------------------------------------------- arguments

device=cuda:0 minutes='' quick=false dry=false python_wanted=true out=$here/card/out
while (($#)); do
    case $1 in
        --device | --out | --minutes)
            (($# > 1)) || refuse "$1 needs a value; see --help"
            declare "${1#--}=$2"
            shift
            ;;
        --device=* | --out=* | --minutes=*)
            name=${1%%=*}
            declare "${name#--}=${1#*=}"
            ;;
        --quick) quick=true ;;
        --dry-run) dry=true ;;
        --without-python) python_wanted=false ;;
        --help | -h)
            usage
            exit 0
            ;;
        *) refuse "unknown argument \`$1\`; see --help" ;;
    esac
    shift
done
[[ $device == cpu || $device =~ ^cuda:[0-9]+$ ]] || refuse "a device is cpu or cuda:N, such as cuda:0, not \`$device\`"
[[ -z $minutes || $minutes =~ ^[1-9][0-9]{0,3}$ ]] || refuse "--minutes needs a whole number from 1, not \`$minutes\`"
[[ -n $out ]] || refuse "--out needs a folder"
((BASH_VERSINFO[0] >= 5)) || refuse "this needs bash 5, not $BASH_VERSION"
for tool in awk timeout od mkfifo; do
    command -v "$tool" >/dev/null || refuse "this needs \`$tool\`"
done

ensayo=${ENSAYO:-}
if [[ -z $ensayo ]]; then
    if [[ -x $root/target/release/ensayo ]]; then
        ensayo=$root/target/release/ensayo
    else
        ensayo=$(command -v ensayo) || refuse "no ensayo: build it with \`cargo build --release\`, put it into PATH, or name it in ENSAYO"
    fi
fi
ensayo=$(command -v "$ensayo") || refuse "ENSAYO is \`$ENSAYO\`, which cannot be executed"
[[ $ensayo == /* ]] || ensayo=$PWD/$ensayo

python=${CARD_PYTHON:-python3}
[[ -d $python ]] && python=$python/bin/python
! $dry || python_wanted=false

for name in REVIEWS ROBERTA DEBERTA; do
    [[ -z ${!name:-} || -e ${!name} ]] || refuse "$name is \`${!name}\`, which does not exist"
done

# ---------------------------------------------------------------- sizes

formats=(bf16 f16 f32)
models=(roberta-base deberta-v3-base)
budget=600 rows=256 batch=8 passes=5 few=512 many=4096
if $quick; then budget=300 rows=128 passes=4 few=256 many=2048; fi
if $dry; then budget=600 rows=4 batch=2 passes=2 few=4 many=8; fi
[[ -z $minutes ]] || budget=$((60 * minutes))
steps=$((rows / batch))

# ---------------------------------------------------------------- files

mkdir -p "$out"
out=$(cd "$out" && pwd)
csv=$out/card.csv
work=$out/work
results=$work/results
# Figures of another time must not pass for those of this one.
if [[ -e $work ]]; then
    [[ -e $work/made-by-card.sh ]] || refuse "$work is in the way and not from here: remove it, or name another folder with --out"
    rm -rf "$work"
fi
mkdir -p "$work"/{data,log,models}
: >"$work/made-by-card.sh"
printf 'part,model,format,what,peer,value,unit,note\n' >"$csv"

# A FIFO that nobody writes to: waiting for it with a time limit is a sleep without a process.
mkfifo "$work/never"
exec {never}<>"$work/never"
doze() { read -rt "$1" -u "$never" _ || true; }

child='' guard='' watcher=''
clear_up() {
    [[ -z $watcher ]] || kill "$watcher" 2>/dev/null || true
    [[ -z $guard ]] || kill "$guard" 2>/dev/null || true
    [[ -z $child ]] || { kill "$child" && doze 2 && kill "$child"; } 2>/dev/null || true
}
trap clear_up EXIT
trap 'say "interrupted"; exit 130' INT TERM

# ---------------------------------------------------------------- figures

failures=0 out_of_time=false

# PART MODEL FORMAT WHAT PEER VALUE UNIT NOTE: a line of the CSV. Only the note may have commas.
figure() {
    local note=$8
    if $dry; then note="dry-run${note:+; $note}"; fi
    note=${note//\"/\'}
    [[ $note != *,* ]] || note="\"$note\""
    printf '%s,%s,%s,%s,%s,%s,%s,%s\n' "${@:1:7}" "$note" >>"$csv"
}

# PART MODEL FORMAT PEER REASON
failed() {
    failures=$((failures + 1))
    [[ $5 != 'stopped after'* && $5 != 'no time'* ]] || out_of_time=true
    say "  FAILED: $1 ${2:+of $2 }${3:+in $3 }with $4: $5"
    figure "$1" "$2" "$3" failed "$4" '' '' "$5"
}

# PART MODEL FORMAT WHAT PEER: its value, or nothing.
value() {
    awk -F, -v p="$1" -v m="$2" -v f="$3" -v w="$4" -v e="$5" \
        '$1 == p && $2 == m && $3 == f && $4 == w && $5 == e { print $6; exit }' "$csv"
}

# FILE METRIC: a line of measurements.csv or metrics.csv.
metric() { [[ ! -e $1 ]] || awk -F, -v name="$2" '$(NF - 1) == name { print $NF; exit }' "$1"; }

# An expression in awk, with six significant digits; `nan` where something in it is missing.
reckon() { awk "BEGIN { printf \"%.6g\", ($1) }" 2>/dev/null || echo nan; }

# ---------------------------------------------------------------- commands with a time limit

left() { echo $((budget - SECONDS)); }

# LIMIT LOG COMMAND…: runs a command within its limit, of ten minutes in all, and what is left; `limit` is what it got.
limited() {
    local log=$2 status=0 begun=$SECONDS
    limit=$(($1 * budget / 600))
    ((limit <= $(left))) || limit=$(left)
    if ((limit < 5)); then
        limit=0
        return 124
    fi
    "${@:3}" >"$log" 2>&1 </dev/null &
    child=$!
    # ensayo ends in good order when it is told to, and at once when it is told again.
    { doze "$limit"; kill -TERM "$child"; doze 5; kill -TERM "$child"; doze 5; kill -KILL "$child"; } 2>/dev/null &
    guard=$!
    # What bash says of a command that had to be killed helps nobody.
    { wait "$child" || status=$?; } 2>/dev/null
    if ((status && SECONDS - begun >= limit)); then status=124; fi
    child=''
    stop_guard
    return "$status"
}

stop_guard() {
    kill "$guard" 2>/dev/null || true
    { wait "$guard" || true; } 2>/dev/null
    guard=''
}

# STATUS LOG: why a command failed, in one line.
reason() {
    if (($1 == 124)); then
        if ((limit)); then echo "stopped after $limit s"; else echo "no time was left for it"; fi
        return
    fi
    local line
    line=$(grep -Ei 'error|fail|panicked' "$2" | grep -v '^no report' | tail -n 1 | tr -s '[:space:]' ' ' | cut -c 1-300 | sed 's/ $//')
    echo "exit code $1: ${line:-$(tail -n 1 "$2")}"
}

# LIMIT LOG ARGUMENTS…: `ensayo run`, told which device.
run_ensayo() { limited "$1" "$2" "$ensayo" run "${@:3}"; }

# ---------------------------------------------------------------- parts

environment() {
    say "environment"
    local name='' driver='' memory='' package version
    if [[ $device == cuda:* ]] && command -v nvidia-smi >/dev/null; then
        IFS=, read -r name driver memory < <(
            timeout 20 nvidia-smi --id="${device#cuda:}" --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null || true
        ) || true
    elif [[ $device == cpu ]]; then
        name=$(awk -F ': *' '/^model name/ { print $2; exit }' /proc/cpuinfo)
    fi
    card=${name:-unknown}
    card=${card//,/ }
    # Choices of kernels stand for one kind of card. Those of a dry run stand for nothing.
    local choices=$work/kernel-choices
    if ! $dry; then choices=$out/kernel-choices/${card//[^A-Za-z0-9.-]/-}; fi
    mkdir -p "$choices" "$results/.cache"
    ln -s "$choices" "$results/.cache/autotune"
    card_facts=$card${memory:+,$memory}${driver:+, driver$driver}
    figure environment '' '' device '' "$card" '' "$device"
    figure environment '' '' driver '' "${driver# }" '' ''
    figure environment '' '' memory '' "${memory# }" '' ''
    versions=$("$ensayo" --version)
    figure environment '' '' version ensayo "${versions#ensayo }" '' ''
    peers_for_training=false peers_for_embedding=false
    [[ -z ${CUBECL_AUTOTUNE_LEVEL:-} ]] || figure environment '' '' CUBECL_AUTOTUNE_LEVEL ensayo "$CUBECL_AUTOTUNE_LEVEL" '' ''
    $python_wanted || return 0
    if ! "$python" -c '' 2>/dev/null; then
        say "  no Python at \`$python\`: without the peers"
        return 0
    fi
    declare -A found=()
    while read -r package version; do
        found[$package]=$version
        versions+=", $package $version"
        figure environment '' '' version "$package" "$version" '' ''
    done < <("$python" - <<'END'
from importlib.metadata import PackageNotFoundError, version
for package in ["torch", "transformers", "peft", "sentence-transformers"]:
    try:
        print(package, version(package))
    except PackageNotFoundError:
        pass
END
    )
    if [[ -n ${found[torch]:-} && -n ${found[transformers]:-} ]]; then
        [[ -z ${found[peft]:-} ]] || peers_for_training=true
        [[ -z ${found[sentence-transformers]:-} ]] || peers_for_embedding=true
    fi
    $peers_for_training || say "  not installed in $python: transformers + PEFT (torch, transformers, peft)"
    $peers_for_embedding || say "  not installed in $python: sentence-transformers (with torch, transformers)"
}

# NAME SOURCE: a model's folder, with its tokeniser; the shape of `benches/card/NAME.json` where there is no SOURCE.
model_folder() {
    local folder=$work/models/$1 source=${2:-}
    if [[ -n $source ]] && ! $dry; then
        ln -s "$(cd "$source" && pwd)" "$folder"
        return
    fi
    mkdir "$folder"
    if $dry; then
        sed -E -e 's/("num_hidden_layers"): [0-9]+/\1: 1/' -e 's/("num_attention_heads"): [0-9]+/\1: 2/' \
            -e 's/("(hidden|intermediate|pooler_hidden)_size"): [0-9]+/\1: 32/' -e 's/("vocab_size"): [0-9]+/\1: 1222/' \
            "$here/card/$1.json" >"$folder/config.json"
    else
        cp "$here/card/$1.json" "$folder/config.json"
    fi
    cp "$root/models/quickstart-encoder/tokenizer.json" "$folder/"
}

# Texts of words that are one token each, and two documents. Lengths of reviews follow the quantiles of 20,000 Steam reviews' tokens.
texts='
    function random() { state = (state * 16807) % 2147483647; return state / 2147483647 }
    function word() { return words[1 + int(random() * count)] }
    function tokens(share,    i) {
        for (i = 2; share > quantile[i]; i++);
        return int(length_at[i - 1] + (length_at[i] - length_at[i - 1]) * (share - quantile[i - 1]) / (quantile[i] - quantile[i - 1]))
    }
    BEGIN {
        state = 20250101
        count = split("the and this for not price also with you game about had build one have level that sound handle every instructions quality " \
            "difficulty design latest update noise delivery multiplayer controls customer service soundtrack are battery get size story art style", words, " ")
        split("0 0.05 0.1 0.25 0.5 0.75 0.9 0.95 0.99 1", quantile, " ")
        split("3 6 9 20 50 125 275 430 960 1600", length_at, " ")
    }'

data() {
    say "data"
    local reviews=$work/data/reviews.csv chunks name records
    if [[ -n ${REVIEWS:-} ]]; then
        # A record ends where its quotes are even. The header and the first records.
        awk -v rows="$rows" '{ record = record (record == "" ? "" : "\n") $0; quotes += gsub(/"/, "&") }
            quotes % 2 == 0 { print record; record = ""; if (++records > rows) exit }
            END { print records - 1 >"/dev/stderr" }' "$REVIEWS" >"$reviews" 2>"$work/data/records"
        read -r records <"$work/data/records"
        ((records >= rows)) || refuse "REVIEWS has $records rows, and $rows are needed"
    else
        awk -v rows="$rows" "$texts"'
            BEGIN {
                print "text,label"
                for (row = 0; row < rows; row++) place[row] = row
                for (row = rows - 1; row > 0; row--) { other = int(random() * (row + 1)); kept = place[row]; place[row] = place[other]; place[other] = kept }
                for (row = 0; row < rows; row++) {
                    text = word()
                    for (i = tokens((place[row] + 0.5) / rows) - 3; i > 0; i--) text = text " " word()
                    print text "," row % 2
                }
            }' >"$reviews"
    fi
    for ((pass = 0; pass < passes; pass++)); do
        if ((pass)); then tail -n +2 "$reviews"; else cat "$reviews"; fi
    done >"$work/data/train.csv"
    # The trained model is judged, too; by as little as can be.
    awk '{ print; quotes += gsub(/"/, "&") } quotes % 2 == 0 && ++records == 3 { exit }' "$reviews" >"$work/data/test.csv"
    for name in small large; do
        chunks=$few
        [[ $name == small ]] || chunks=$((few + many))
        awk -v chunks="$chunks" "$texts"'
            BEGIN { for (i = 200 * (chunks - 1) + 300; i > 0; i--) printf "%s%s", word(), i % 12 == 1 ? "\n" : " " }' >"$work/data/$name.txt"
    done
    model_folder roberta-base "${ROBERTA:-}"
    model_folder deberta-v3-base "${DEBERTA:-}"
    model_folder xlm-roberta-base
    export CARD_DATA=$work/data CARD_ROBERTA=$work/models/roberta-base CARD_DEBERTA=$work/models/deberta-v3-base CARD_XLMR=$work/models/xlm-roberta-base
}

# WHAT VALUE UNIT TOLERANCE: a difference between card and processor, and whether it is small enough. A card may
# multiply f32 in TF32, whose numbers have eight times the resolution of bf16's. The tolerances are about the differences of a processor's own results in
# bf16 from those in f32 (3e-4, 2e-3, 8e-4, 2e-3; 3e-3 for vectors): errors of arithmetic stay well below, errors in kernels do not.
judged() {
    local verdict
    verdict=$(awk -v value="$2" -v most="$4" 'BEGIN { print value == value + 0 && value <= most + 0 ? "passed" : "failed" }')
    figure parity "$parity_model" f32 "$1" ensayo "$2" "$3" "tolerance $4$($dry || echo "; $verdict")"
    say "  $1: $2 $3 (tolerance $4)"
    if ! $dry && [[ $verdict == failed ]]; then failures=$((failures + 1)); fi
}

# TWO COLUMNS FROM STANDARD INPUT, relative|absolute: the largest difference.
largest_difference() {
    awk -v kind="$1" '
        function size(x) { return x < 0 ? -x : x }
        { if ($1 != $1 + 0 || $2 != $2 + 0) wrong = 1
          d = size($1 - $2); if (kind == "relative") d = d / (size($2) > 1e-30 ? size($2) : 1e-30); if (d > most) most = d; rows++ }
        END { if (!rows || wrong) print "nan"; else printf "%.3g", most }'
}

parity_of_training() {
    say "parity: the quick start's losses and probabilities on $device and on the processor"
    parity_model=quickstart
    local run='quickstart/rank=4,targets=query+value' where place log status files=()
    local settings=(--set model.precision=f32 --set training.logging_steps=1 --set training.epochs=1 --set training.learning_rate=1e-3)
    ! $dry || settings+=(--set data.limit=20 --set training.batch_size=8)
    for where in cpu "$device"; do
        # The card's runs share its kernel choices.
        place=$results
        [[ ${#files[@]} != 0 ]] || place=$work/parity-cpu
        log=$work/log/parity-training-${#files[@]}-${where/:/-}.log status=0
        run_ensayo 75 "$log" "$run" --experiments "$root/experiments" --results "$place" --device "$where" "${settings[@]}" || status=$?
        if ((status)); then
            failed parity quickstart f32 "ensayo on $where" "$(reason "$status" "$log")"
            ! ((status == 2)) || [[ $where == cpu ]] || unusable=true
            return 0
        fi
        files+=("$place/quickstart/rank=4,targets=query+value/seed-42")
    done
    # step,epoch,loss,learning_rate,gradient_norm of the processor beside those of the card
    local rows=$work/parity-log.csv
    paste -d, "${files[@]/%//training_log.csv}" | tail -n +2 >"$rows"
    judged "loss of the first step" "$(head -n 1 "$rows" | awk -F, '{ print $8, $3 }' | largest_difference relative)" relative 5e-4
    judged "gradient norm of the first step" "$(head -n 1 "$rows" | awk -F, '{ print $10, $5 }' | largest_difference relative)" relative 5e-3
    judged "losses of the first ten steps" "$(head -n 10 "$rows" | awk -F, '{ print $8, $3 }' | largest_difference relative)" relative 1e-3
    local probabilities=$work/parity-probabilities.txt
    paste -d' ' <(first_probability "${files[1]}") <(first_probability "${files[0]}") >"$probabilities"
    judged "probabilities after $(wc -l <"$rows") steps" "$(largest_difference absolute <"$probabilities")" absolute 5e-3
}

# FOLDER: each test row's probability of the first class. Texts come last and may have lines like nothing else.
first_probability() { awk -F, '/^test,[0-9]+,/ { print $5 }' "$1/predictions.csv"; }

parity_of_vectors() {
    say "parity: vectors of a random encoder on $device and on the processor"
    parity_model=quickstart-encoder
    local where place log status places=() files=() file header
    for where in cpu "$device"; do
        place=$results
        [[ ${#places[@]} != 0 ]] || place=$work/parity-cpu
        log=$work/log/parity-vectors-${#places[@]}-${where/:/-}.log status=0
        run_ensayo 60 "$log" rag-quickstart/random-encoder --experiments "$root/experiments" --results "$place" --device "$where" || status=$?
        if ((status)); then
            failed parity quickstart-encoder f32 "ensayo on $where" "$(reason "$status" "$log")"
            return 0
        fi
        places+=("$place/.cache/embeddings")
    done
    # A file of vectors is a line of JSON and 32-bit floats behind it.
    for place in "${places[@]}"; do
        files+=("${place%/.cache/*}-vectors.txt")
        for file in "$place"/*; do
            [[ $file == *.lock || ! -s $file ]] && continue
            header=$(head -n 1 "$file" | wc -c)
            tail -c +$((header + 1)) "$file" | od -An -v -tf4 -w4
        done >"${files[-1]}"
    done
    local least
    least=$(paste -d' ' "${files[1]}" "${files[0]}" | awk '{ s = $2 < 0 ? -$2 : $2; if (s > most) most = s } END { printf "%.9g", most }')
    judged "vectors in units of their largest value" \
        "$(paste -d' ' "${files[1]}" "${files[0]}" | awk -v most="$least" '{ print $1 / (most > 0 ? most : 1), $2 / (most > 0 ? most : 1) }' | largest_difference absolute)" \
        relative 5e-3
}

# FOLDER FILE: notes the time at which each row of the training log of the run that begins is written, in its folder or where runs are at work.
clock() {
    local file row
    : >"$2"
    while :; do
        for file in "$1/training_log.csv" "$results"/.work/*/training_log.csv; do
            # A run that was stopped leaves its own.
            [[ -e $file && $file -nt $2 ]] && break 2
        done
        doze 0.02
    done
    exec 3<"$file"
    while :; do
        if IFS= read -r row <&3; then echo "$EPOCHREALTIME,$row"; else doze 0.005; fi
    done >>"$2"
}

# MODEL FORMAT
training() {
    say "training: $1 in $2"
    local run=$1-$2 log=$work/log/training-$1-$2.log times=$work/times-$1-$2.csv status=0
    local folder=$results/training/$run/seed-1
    clock "$folder" "$times" &
    watcher=$!
    run_ensayo 75 "$log" "training/$run" --experiments "$here/card" --results "$results" --device "$device" \
        --set training.logging_steps="$steps" --set training.batch_size="$batch" || status=$?
    kill "$watcher" 2>/dev/null || true
    wait "$watcher" 2>/dev/null || true
    watcher=''
    if ((status)); then
        failed training "$1" "$2" ensayo "$(reason "$status" "$log")"
        return 0
    fi
    local measurements=$folder/measurements.csv metrics=$folder/metrics.csv seconds first least most noted per_second note
    IFS=' ' read -r noted seconds least most < <(awk -F, '
        $2 ~ /^[0-9]/ { if (rows++) { s = $1 - last; total += s; if (least == "" || s < least) least = s; if (s > most) most = s } last = $1 }
        END { printf "%d %.6f %.4g %.4g\n", rows, total, least, most }' "$times")
    if ((noted == passes)); then
        per_second=$(reckon "$(((passes - 1) * rows)) / $seconds")
        note="passes of $least to $most s"
        first=$(reckon "$(metric "$measurements" train_seconds) - $seconds")
        figure training "$1" "$2" "first pass" ensayo "$first" s "compiles kernels and chooses among them; later passes $(reckon "$seconds / ($passes - 1)") s"
    else
        per_second=$(metric "$measurements" train_samples_per_second)
        note="the first steps included: the log's rows were not seen in time"
    fi
    local skipped tf32='' restarts
    skipped=$(metric "$metrics" skipped_steps)
    [[ -z $skipped || $skipped == 0* ]] || note+="; $skipped steps skipped"
    ! grep -Eq '"tf32": *true' "$folder/record.json" || tf32='TF32'
    [[ -z $tf32 || $2 != f32 ]] || note+="; products in TF32"
    restarts=$(metric "$measurements" memory_restarts)
    [[ -z $restarts || $restarts == 0* ]] || note+="; memory ran out and batches were taken in pieces"
    figure training "$1" "$2" throughput ensayo "$per_second" samples/s "$note"
    figure training "$1" "$2" tokens ensayo "$(reckon "$per_second * $(metric "$metrics" train_tokens) / $((passes * rows))")" 'real tokens/s' ''
    figure training "$1" "$2" wall ensayo "$(metric "$measurements" wall_seconds)" s 'the whole run'
    local predicted reserved
    predicted=$(metric "$measurements" predicted_peak_memory_bytes)
    reserved=$(metric "$measurements" device_memory_reserved_bytes)
    figure memory "$1" "$2" predicted ensayo "$predicted" bytes ''
    if [[ -n $reserved ]]; then
        figure memory "$1" "$2" 'in use at the end' ensayo "$(metric "$measurements" device_memory_in_use_bytes)" bytes ''
        note=device_memory_reserved_bytes
    else
        reserved=$(metric "$measurements" peak_memory_bytes)
        note=peak_memory_bytes
    fi
    figure memory "$1" "$2" measured ensayo "$reserved" bytes "$note"
    figure memory "$1" "$2" ratio ensayo "$(reckon "$predicted / ($reserved > 0 ? $reserved : 1)")" 'predicted / measured' ''
    say "  $per_second samples/s"
}

# PART MODEL LOG: takes over what a peer printed.
take_over() {
    local format what peer number unit note
    # As the peers print it: no column has a comma.
    while IFS=, read -r format what peer number unit note; do
        if [[ $what == memory ]]; then
            figure memory "$2" "$format" measured "$peer" "$number" "$unit" "$note"
        else
            figure "$1" "$2" "$format" "$what" "$peer" "$number" "$unit" "$note"
        fi
        [[ $what != throughput ]] || say "  $peer, $format: $number $unit"
    done < <(grep -E '^(f32|f16|bf16),' "$3" || true)
}

# MODEL
training_peer() {
    $python_wanted || return 0
    if ! $peers_for_training; then
        figure training "$1" '' throughput PEFT '' samples/s 'not installed'
        return 0
    fi
    say "training: $1 with transformers + PEFT"
    local folder=$work/models/$1 log=$work/log/peft-$1.log status=0 tokeniser=()
    if [[ ! -e $folder/tokenizer.json ]]; then tokeniser=(--tokenizer "$work/models/roberta-base"); fi
    limited 90 "$log" "$python" "$here/peft_training.py" --config "$folder/config.json" "${tokeniser[@]}" --reviews "$work/data/train.csv" \
        --steps "$steps" --batch-size "$batch" --warmup-steps "$steps" --passes $((passes - 1)) --order file length \
        --device "$device" --precision "${formats[@]}" --tf32 --csv || status=$?
    take_over training "$1" "$log"
    ((status == 0)) || failed training "$1" '' PEFT "$(reason "$status" "$log")"
}

# FORMAT
embedding() {
    say "embedding: the shape of XLM-R base in $1"
    local size turn log status=0 seconds=() folder
    for turn in warm-up measured; do
        for size in small large; do
            # The small document alone fills the cache of kernel choices.
            [[ $turn != warm-up || $size == small ]] || continue
            log=$work/log/embedding-$size-$1-$turn.log
            run_ensayo 45 "$log" "embedding/$size-$1" --experiments "$here/card" --results "$results" --device "$device" --force || status=$?
            if ((status)); then
                failed embedding xlm-roberta-base "$1" ensayo "$(reason "$status" "$log")"
                return 0
            fi
            folder=$results/embedding/$size-$1/seed-1
            [[ $turn == warm-up ]] || seconds+=("$(metric "$folder/measurements.csv" embed_seconds)")
            # Vectors that are there already would not be computed.
            rm -rf "$results/.cache/embeddings"
        done
    done
    local per_second
    per_second=$(reckon "$many / (${seconds[1]} - ${seconds[0]})")
    if ! $dry && [[ $per_second == nan || $per_second == inf || $per_second == -* ]]; then
        failed embedding xlm-roberta-base "$1" ensayo "$((few + many)) chunks took ${seconds[1]} s and $few took ${seconds[0]} s"
        return 0
    fi
    figure embedding xlm-roberta-base "$1" throughput ensayo "$per_second" chunks/s "$((few + many)) chunks in ${seconds[1]} s and $few in ${seconds[0]} s"
    say "  $per_second chunks/s"
}

embedding_peer() {
    $python_wanted || return 0
    if ! $peers_for_embedding; then
        figure embedding xlm-roberta-base '' throughput sentence-transformers '' chunks/s 'not installed'
        return 0
    fi
    say "embedding: sentence-transformers"
    local log=$work/log/sentence-transformers.log status=0
    limited 75 "$log" "$python" "$here/sentence_transformers_embedding.py" --model "$work/models/xlm-roberta-base" --random --text "$work/data/large.txt" \
        --chunks "$many" --warmup-chunks "$few" --device "$device" --precision f32 f16 --tf32 --csv || status=$?
    take_over embedding xlm-roberta-base "$log"
    ((status == 0)) || failed embedding xlm-roberta-base '' sentence-transformers "$(reason "$status" "$log")"
}

# ---------------------------------------------------------------- the tables

# NUMBER FORMAT; a dash for nothing
shown() { if [[ -n $1 ]]; then awk -v x="$1" -v f="$2" 'BEGIN { if (x == x + 0) printf f, x; else printf "%s", x }'; else echo -; fi; }
ratio() { if [[ -n $1 && -n $2 ]]; then awk -v a="$1" -v b="$2" 'BEGIN { if (a == a + 0 && b > 0) printf "%.2f", a / b; else printf "-" }'; else echo -; fi; }
gigabytes() { if [[ -n $1 ]]; then awk -v x="$1" 'BEGIN { printf "%.2f", x / 1e9 }'; else echo -; fi; }

# PART MODEL FORMAT PEER: throughput, or why there is none
throughput() {
    local found
    found=$(value "$1" "$2" "$3" throughput "$4")
    if [[ -n $found ]]; then
        shown "$found" %.1f
    elif [[ $4 == ensayo ]] && grep -q "^$1,$2,$3,failed,ensayo," "$csv"; then
        echo failed
    elif grep -q "^$1,$2,,failed," "$csv" && [[ $4 != ensayo ]]; then
        echo failed
    else
        echo -
    fi
}

tables() {
    local model format ours file length
    $dry && echo "A dry run: the figures mean nothing." && echo
    echo "$card_facts; $versions; $(date -u +%Y-%m-%d)."
    echo
    echo "LoRA of rank 8 on query and value, batches of $batch, texts cut at 512 tokens, random weights. Tokens are computed once by ensayo, padded to the longest text of a"
    echo "batch by PEFT, which reads the same rows in file order, and sorted by length (\`group_by_length\`); its 16 bits are autocast's, with weights in f32. The pass that"
    echo "compiles and chooses kernels comes before the clock starts, for all of them. Products of f32 may be in TF32, for all of them."
    echo
    echo "| shape | format | ensayo, samples/s | PEFT, file order | ratio | PEFT, by length | ratio | first pass of ensayo |"
    echo "|---|---|---|---|---|---|---|---|"
    for model in "${models[@]}"; do
        for format in "${formats[@]}"; do
            ours=$(value training "$model" "$format" throughput ensayo)
            file=$(value training "$model" "$format" throughput 'PEFT in file order')
            length=$(value training "$model" "$format" throughput 'PEFT by length')
            echo "| $model | $format | $(throughput training "$model" "$format" ensayo) | $(throughput training "$model" "$format" 'PEFT in file order')" \
                "| $(ratio "$ours" "$file") | $(throughput training "$model" "$format" 'PEFT by length') | $(ratio "$ours" "$length")" \
                "| $(shown "$(value training "$model" "$format" 'first pass' ensayo)" '%.1f s') |"
        done
    done
    echo
    echo "| shape | format | predicted, GB | ensayo measured, GB | ratio | PEFT, file order, GB | PEFT, by length, GB |"
    echo "|---|---|---|---|---|---|---|"
    for model in "${models[@]}"; do
        for format in "${formats[@]}"; do
            echo "| $model | $format | $(gigabytes "$(value memory "$model" "$format" predicted ensayo)") | $(gigabytes "$(value memory "$model" "$format" measured ensayo)")" \
                "| $(shown "$(value memory "$model" "$format" ratio ensayo)" %.2f) | $(gigabytes "$(value memory "$model" "$format" measured 'PEFT in file order')")" \
                "| $(gigabytes "$(value memory "$model" "$format" measured 'PEFT by length')") |"
        done
    done
    echo
    echo "| embedding, chunks of 300 words | format | ensayo, chunks/s | sentence-transformers | ratio |"
    echo "|---|---|---|---|---|"
    for format in f16 f32; do
        ours=$(value embedding xlm-roberta-base "$format" throughput ensayo)
        file=$(value embedding xlm-roberta-base "$format" throughput sentence-transformers)
        echo "| xlm-roberta-base | $format | $(throughput embedding xlm-roberta-base "$format" ensayo)" \
            "| $(throughput embedding xlm-roberta-base "$format" sentence-transformers) | $(ratio "$ours" "$file") |"
    done
    echo
    echo "| card against processor, f32 | largest difference | tolerance |"
    echo "|---|---|---|"
    awk -F, '$1 == "parity" && $4 != "failed" { note = $8; gsub(/"/, "", note); sub(/.*tolerance /, "", note); print "| " $2 ": " $4 " | " $6 " " $7 " | " note " |" }
        $1 == "parity" && $4 == "failed" { print "| " $2 " | failed: " $5 " | |" }' "$csv"
}

# ---------------------------------------------------------------- all of it

say "ensayo on $device, at most $budget s; figures go to $csv, what the programs say to $work/log"
unusable=false card=unknown card_facts=unknown versions=''
environment
data
parity_of_training
if $unusable; then
    say "$device cannot be used: the rest is not run"
else
    parity_of_vectors
    for model in "${models[@]}"; do
        for format in "${formats[@]}"; do training "$model" "$format"; done
        training_peer "$model"
    done
    for format in f32 f16; do embedding "$format"; done
    embedding_peer
fi
figure all '' '' seconds '' "$SECONDS" s ''
tables >"$out/card.md"
say "$SECONDS s; tables in $out/card.md"
if ((failures)); then
    say "$failures of the figures failed"
    if $out_of_time && ! $dry; then say "for some there was not time enough; kernels chosen so far are kept, so call again, or once with --minutes 40"; fi
    exit 1
fi
