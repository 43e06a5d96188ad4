use prometheus_client::encoding::text::encode;

use super::*;

fn encoded(registry: &Registry) -> String {
    let mut text = String::new();
    encode(&mut text, registry).unwrap();
    text
}

#[test]
fn what_is_open_is_counted_until_its_guard_is_dropped() {
    let (metrics, registry) = Metrics::new();
    let text = || encoded(&registry);
    let guard = metrics.connection(Kind::Device);
    assert!(text().contains("sallyport_edge_connections_open{kind=\"device\"} 1\n"));
    drop(guard);
    assert!(text().contains("sallyport_edge_connections_open{kind=\"device\"} 0\n"));
    assert!(text().contains("sallyport_edge_connections_total{kind=\"device\"} 1\n"));
    metrics.rejection(Code::Syntax, Some(Platform::Ios));
    assert!(text().contains("sallyport_edge_rejections_total{code=\"E_SYNTAX\",platform=\"ios\"} 1\n"));
    metrics.moved(Moved { a_to_b: 3, b_to_a: 7 });
    metrics.moved(Moved { a_to_b: 4, b_to_a: 7 });
    assert!(text().contains("sallyport_edge_relayed_bytes_total{direction=\"to-backend\"} 4\n"));
    assert!(text().contains("sallyport_edge_relayed_bytes_total{direction=\"to-device\"} 7\n"));
}

#[test]
fn what_has_a_key_has_its_series_and_nothing_else_has() {
    let (metrics, registry) = Metrics::new();
    let up = || {
        let text = encoded(&registry);
        let lines = text.lines().filter_map(|line| line.strip_prefix("sallyport_edge_control_up"));
        lines.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let [hq, node] = ["hq", "node-a"].map(|name| BackendName::new(name).unwrap());
    metrics.backends(BTreeSet::from([hq.clone(), node.clone()]));
    metrics.control_up(&hq);
    assert_eq!(up(), BTreeSet::from(["{backend=\"hq\"} 1".to_owned(), "{backend=\"node-a\"} 0".to_owned()]));
    metrics.backends(BTreeSet::from([hq.clone()]));
    // Its connection ends a little later than its key.
    metrics.control_down(&node);
    metrics.spares(&node, 0);
    metrics.control_down(&hq);
    assert_eq!(up(), BTreeSet::from(["{backend=\"hq\"} 0".to_owned()]));
}
