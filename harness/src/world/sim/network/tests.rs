//! Two nodes and the link between them: what arrives, what is lost, and what the sender learns of it.

use quorate_node::protocol::RequestId;

use super::*;

const LINK: Link = Link { from: 1, to: 2 };
const SECOND: u64 = 1_000_000_000;

fn message(counter: u64) -> PeerMessage {
    PeerMessage::Held {
        id: RequestId { epoch: 1, counter },
    }
}

fn opened(seed: u64) -> (Network, Queue) {
    let (mut network, mut queue) = (Network::new(2, seed, Weather::default()), Queue::new());
    network.dial(LINK, 1, true, &mut queue);
    assert_eq!(pass(&mut network, &mut queue, SECOND).ups, 1);
    (network, queue)
}

/// What came of the happenings of some time.
#[derive(Debug, Default)]
struct Passed {
    ups: u32,
    downs: u32,
    dials: u32,
    arrived: Vec<PeerMessage>,
    last_arrival: Nanos,
}

fn pass(network: &mut Network, queue: &mut Queue, for_ns: u64) -> Passed {
    let until = later(queue.now(), for_ns);
    let mut passed = Passed::default();
    while let Some(happening) = queue.next(until) {
        match happening {
            Happening::Greeted { link, stream } => {
                passed.ups += u32::from(network.greeted(link, stream));
            }
            Happening::HungUp { link, stream } => {
                passed.downs += u32::from(network.hung_up(link, stream));
            }
            Happening::Dial { .. } => passed.dials += 1,
            Happening::Arrival { link, stream } => {
                while let Some(parcel) = network.arrived(link, stream, queue.now()) {
                    passed.last_arrival = queue.now();
                    passed.arrived.push(parcel.message);
                }
            }
            other => panic!("the network plans no {other:?}"),
        }
    }
    passed
}

fn send(network: &mut Network, queue: &mut Queue, counters: std::ops::Range<u64>) {
    for counter in counters {
        network.send(LINK, message(counter), queue);
    }
}

fn messages(counters: std::ops::Range<u64>) -> Vec<PeerMessage> {
    counters.map(message).collect()
}

#[test]
fn a_link_keeps_its_order_whatever_the_weather() {
    let (mut network, mut queue) = opened(1);
    let mut arrived = Vec::new();
    for batch in 0..20 {
        send(&mut network, &mut queue, batch * 5..batch * 5 + 5);
        arrived.extend(pass(&mut network, &mut queue, 300_000).arrived);
    }
    arrived.extend(pass(&mut network, &mut queue, SECOND).arrived);
    assert_eq!(arrived, messages(0..100));
    assert!(network.is_at_rest());
}

#[test]
fn a_held_link_delivers_after_the_heal_and_loses_nothing() {
    let (mut network, mut queue) = opened(2);
    network.impose(&[LINK], Rule::Hold, &mut queue);
    network.impose(&[LINK], Rule::Hold, &mut queue);
    send(&mut network, &mut queue, 0..5);
    network.lift(&[LINK], Rule::Hold, &mut queue);
    let held = pass(&mut network, &mut queue, SECOND);
    assert_eq!((held.arrived, held.downs), (vec![], 0));
    network.lift(&[LINK], Rule::Hold, &mut queue);
    let healed = pass(&mut network, &mut queue, SECOND);
    assert_eq!((healed.arrived, healed.downs), (messages(0..5), 0));
}

#[test]
fn a_reset_link_loses_what_is_in_flight_and_refuses_new_connections() {
    let (mut network, mut queue) = opened(3);
    send(&mut network, &mut queue, 0..5);
    network.impose(&[LINK], Rule::Reset, &mut queue);
    send(&mut network, &mut queue, 5..9);
    let cut = pass(&mut network, &mut queue, SECOND);
    assert_eq!((cut.arrived, cut.downs), (vec![], 1));
    network.dial(LINK, 1, true, &mut queue);
    assert_eq!(pass(&mut network, &mut queue, SECOND).dials, 1);
    network.lift(&[LINK], Rule::Reset, &mut queue);
    network.dial(LINK, 1, true, &mut queue);
    assert_eq!(pass(&mut network, &mut queue, SECOND).ups, 1);
}

#[test]
fn the_death_of_a_receiver_is_not_known_before_the_link_is_healed() {
    let (mut network, mut queue) = opened(4);
    network.impose(&[LINK], Rule::Hold, &mut queue);
    send(&mut network, &mut queue, 0..5);
    network.receiver_died(LINK.to, &mut queue);
    assert_eq!(pass(&mut network, &mut queue, SECOND).downs, 0);
    network.lift_all(&mut queue);
    let healed = pass(&mut network, &mut queue, SECOND);
    assert_eq!((healed.arrived, healed.downs), (vec![], 1));
}

#[test]
fn of_what_a_killed_sender_had_sent_some_first_part_arrives() {
    let mut arrived = [0; 4];
    for seed in 0..200 {
        let (mut network, mut queue) = opened(seed);
        send(&mut network, &mut queue, 0..3);
        network.sender_died(LINK.from, &mut queue);
        let passed = pass(&mut network, &mut queue, SECOND);
        let count = passed.arrived.len();
        assert_eq!(passed.arrived, messages(0..count as u64));
        assert_eq!(passed.downs, 0, "nobody is left to tell");
        arrived[count] += 1;
    }
    assert!(arrived.iter().all(|&times| times > 20), "{arrived:?}");
}

#[test]
fn of_several_delays_the_longest_counts() {
    let (mut network, mut queue) = opened(5);
    for delay_ms in [300, 500, 100] {
        network.impose(&[LINK], Rule::delay(delay_ms, 0), &mut queue);
    }
    let sent = queue.now();
    send(&mut network, &mut queue, 0..1);
    let passed = pass(&mut network, &mut queue, SECOND);
    let took_ns = passed.last_arrival.since(sent).0;
    assert!(
        (500_000_000..600_000_000).contains(&took_ns),
        "{took_ns} ns"
    );
}

/// What arrives of many messages in this weather, and the network after that.
fn many(weather: Weather) -> (Vec<PeerMessage>, u32, Network) {
    let (mut network, mut queue) = (Network::new(2, 6, weather), Queue::new());
    network.dial(LINK, 1, true, &mut queue);
    assert_eq!(pass(&mut network, &mut queue, SECOND).ups, 1);
    let (mut arrived, mut downs) = (Vec::new(), 0);
    for batch in 0..100 {
        send(&mut network, &mut queue, batch * 10..batch * 10 + 10);
        let passed = pass(&mut network, &mut queue, SECOND);
        arrived.extend(passed.arrived);
        downs += passed.downs;
        network.dial(LINK, 1, true, &mut queue);
        pass(&mut network, &mut queue, SECOND);
    }
    (arrived, downs, network)
}

fn counter(message: &PeerMessage) -> u64 {
    match message {
        PeerMessage::Held { id } => id.counter,
        other => panic!("nobody sent {other:?}"),
    }
}

#[test]
fn weather_loses_its_share_of_messages_and_nobody_is_told() {
    let (arrived, downs, network) = many(Weather {
        lost_ppm: 200_000,
        ..Weather::default()
    });
    assert!((750..850).contains(&arrived.len()), "{}", arrived.len());
    assert!(arrived.is_sorted_by_key(counter));
    assert_eq!(downs, 0);
    assert!(network.is_at_rest());
}

#[test]
fn a_message_that_breaks_its_connection_takes_others_with_it() {
    let (arrived, downs, network) = many(Weather {
        broken_ppm: 20_000,
        ..Weather::default()
    });
    assert!(downs > 5, "{downs}");
    assert!(arrived.len() + 20 < 1_000, "{}", arrived.len());
    assert!(arrived.is_sorted_by_key(counter));
    assert!(network.is_at_rest());
}

#[test]
fn repeated_messages_come_twice_and_later() {
    let (arrived, _, network) = many(Weather {
        repeated_ppm: 200_000,
        ..Weather::default()
    });
    assert!((1_150..1_250).contains(&arrived.len()), "{}", arrived.len());
    let mut firsts: Vec<u64> = Vec::new();
    for counter in arrived.iter().map(counter) {
        if !firsts.contains(&counter) {
            firsts.push(counter);
        }
    }
    assert_eq!(firsts, (0..1_000).collect::<Vec<_>>());
    assert!(network.is_at_rest());
}

#[test]
fn overtaken_messages_arrive_once_and_out_of_order() {
    let (arrived, _, network) = many(Weather {
        overtaken_ppm: 200_000,
        ..Weather::default()
    });
    let mut counters: Vec<u64> = arrived.iter().map(counter).collect();
    let late = counters.windows(2).filter(|pair| pair[0] > pair[1]).count();
    assert!(late > 50, "{late}");
    counters.sort_unstable();
    assert_eq!(counters, (0..1_000).collect::<Vec<_>>());
    assert!(network.is_at_rest());
}

#[test]
fn a_held_link_keeps_as_many_messages_as_the_queue_of_a_node() {
    let (mut network, mut queue) = opened(7);
    network.impose(&[LINK], Rule::Hold, &mut queue);
    let most = QUEUE_MESSAGES_MAX as u64;
    send(&mut network, &mut queue, 0..most + 10);
    network.lift_all(&mut queue);
    let healed = pass(&mut network, &mut queue, SECOND);
    assert_eq!(healed.arrived, messages(0..most));
}
