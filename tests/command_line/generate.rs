//! `quorate generate-history`: what it makes can be judged, is what was asked for, and is the same every time.

use crate::bench::Bench;

fn generate(bench: &Bench, options: &str) -> String {
    let args: Vec<&str> = ["generate-history"]
        .into_iter()
        .chain(options.split_whitespace())
        .collect();
    bench.run(&args).with_code(0).stdout
}

#[test]
fn a_history_without_corruption_is_kept() {
    let bench = Bench::new();
    let options = "-n 500 -c 5 -k 3 --info 10 --fail 5 --census --seed 7";
    let history = generate(&bench, options);
    assert_eq!(
        history,
        generate(&bench, &format!("{options} --output=/dev/stdout"))
    );
    assert_ne!(
        history,
        generate(
            &bench,
            "-n 500 -c 5 -k 3 --info 10 --fail 5 --census --seed 8"
        )
    );
    bench.write("history.jsonl", history);
    bench
        .run(&["check", "history.jsonl"])
        .with_code(0)
        .telling("kept: every promise");
}

#[test]
fn a_corruption_is_found_in_the_line_that_is_told() {
    let bench = Bench::new();
    let args = [
        "generate-history",
        "--corrupt",
        "stale-read",
        "-o",
        "h.jsonl",
    ];
    bench
        .run(&args)
        .with_code(0)
        .complaining("the stale-read shows in line ");
    bench
        .run(&["check", "h.jsonl"])
        .with_code(1)
        .telling("BROKEN fresh reads");
}

#[test]
fn what_cannot_be_made_is_refused() {
    let bench = Bench::new();
    for (options, why) in [
        (
            "--corrupt stale",
            "corrupt `stale` is unknown: did you mean `stale-read`?",
        ),
        (
            "--corrupt xyzzy-xyzzy",
            "there are none, stale-read, inversion",
        ),
        ("--values few", "neither unique nor small:N"),
        ("--reads 80 --cas 30", "at most 100"),
        ("--values small:3 --corrupt phantom", "unique values"),
        ("-o no/such/place", "cannot write no/such/place"),
    ] {
        let args: Vec<&str> = ["generate-history"]
            .into_iter()
            .chain(options.split(' '))
            .collect();
        bench.run(&args).refused(why);
    }
    bench
        .run(&[
            "generate-history",
            "-n",
            "3",
            "--corrupt",
            "inversion",
            "-o",
            "h.jsonl",
        ])
        .refused("there was no occasion for the inversion");
}
