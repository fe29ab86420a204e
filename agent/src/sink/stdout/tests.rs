//! A pipe whose reader is as slow, or as dead, as the test wants it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, pipe};

use super::{Ended, Stdout, StdoutError};
use crate::model::testing::at;

/// Small enough that the kernel's pipe, of 64 KiB, is what fills first.
const CAPACITY: u32 = 4096;

#[tokio::test]
async fn lines_come_out_whole_and_in_order() {
    let (mut reader, writer) = pipe().unwrap();
    let stdout = Stdout::spawn(writer, CAPACITY).unwrap();
    for number in 0..100 {
        stdout.send(format!("{number}\n").into_bytes()).await.unwrap();
    }
    stdout.close().await.unwrap();
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    let expected: String = (0..100).map(|number| format!("{number}\n")).collect();
    assert_eq!(text, expected);
}

#[tokio::test]
async fn a_stalled_reader_costs_observations_and_never_a_violation() {
    let (reader, writer) = pipe().unwrap();
    let stdout = Stdout::spawn(writer, CAPACITY).unwrap();
    let line = |kind: char| format!("{}\n", kind.to_string().repeat(99)).into_bytes();
    // Nobody reads: the pipe and then the queue fill, and from there on observations are dropped.
    let (mut accepted, mut dropped) = (0_u64, 0_u64);
    while dropped < 10 {
        match stdout.offer(line('o'), at(accepted + dropped)).unwrap() {
            true => accepted += 1,
            false => dropped += 1,
        }
        tokio::task::yield_now().await;
    }
    // Violations still have room: a quarter of the queue.
    for _ in 0..5 {
        stdout.send(line('v')).await.unwrap();
    }
    let mut waiting = Box::pin(async {
        for _ in 0..1000 {
            stdout.send(line('v')).await.unwrap();
        }
    });
    // And when there is none, they wait.
    assert!(futures_util::poll!(&mut waiting).is_pending());
    let counting = tokio::task::spawn_blocking(move || {
        let lines: Vec<_> = BufReader::new(reader).lines().map(Result::unwrap).collect();
        let count = |kind| lines.iter().filter(|line| line.starts_with(kind)).count();
        (count('o'), count('v'))
    });
    waiting.await;
    // The writer may have moved on between two offers, so what was dropped is not one run of them.
    let gap = stdout.take_gap(at(9)).unwrap();
    assert_eq!((gap.source.as_str(), gap.lost), ("observations", Some(dropped)));
    assert!(gap.from < gap.to && gap.to == at(accepted + dropped - 1));
    assert_eq!(stdout.take_gap(at(10)), None);
    stdout.close().await.unwrap();
    let (observations, violations) = counting.await.unwrap();
    assert_eq!(
        (observations, violations),
        (usize::try_from(accepted).unwrap(), 1005)
    );
}

#[tokio::test]
async fn a_line_longer_than_the_queue_still_passes() {
    let (reader, writer) = pipe().unwrap();
    let stdout = Stdout::spawn(writer, 16).unwrap();
    stdout.send(b"short\n".to_vec()).await.unwrap();
    stdout.send(vec![b'x'; 1000]).await.unwrap();
    stdout.close().await.unwrap();
    let read = BufReader::new(reader).bytes().count();
    assert_eq!(read, 1006);
}

#[tokio::test]
async fn a_reader_that_left_ends_the_stream_cleanly() {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let stdout = Stdout::spawn(writer, CAPACITY).unwrap();
    while stdout.send(b"line\n".to_vec()).await != Err(Ended) {
        tokio::task::yield_now().await;
    }
    assert_eq!(stdout.offer(b"line\n".to_vec(), at(0)), Err(Ended));
    assert!(matches!(stdout.close().await, Err(StdoutError::ReaderGone)));
}

#[tokio::test]
async fn any_other_error_is_one() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let stdout = Stdout::spawn(full, CAPACITY).unwrap();
    stdout.send(b"line\n".to_vec()).await.unwrap();
    assert!(matches!(stdout.close().await, Err(StdoutError::Write(_))));
}
