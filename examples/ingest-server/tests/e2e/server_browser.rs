//! The report for people, as a real browser shows it: plots are visible, nothing is loaded from elsewhere, and
//! it is readable in a narrow window as in a wide one.

#[path = "server_browser/chromium.rs"]
mod chromium;

use reqwest::StatusCode;
use serde_json::{Value, json};

use self::chromium::Chromium;
use crate::{
    harness::{ADMIN_TOKEN, ALL_SCOPES, Data, Server, page_view},
    quality_history::add_day,
};

/// What the page looks like, measured in CSS pixels: how wide it is, how small its smallest text is, which texts
/// leave the window without a table around them that scrolls, where each bar stands before anything is scrolled and
/// whether it is there to see, and of each plot how many of its columns are: what the browser finds in the middle.
const LOOK: &str = "(() => {
    const shown = rect => {
        const box = rect.getBoundingClientRect();
        if (box.width < 0.5 || box.height < 0.5) return false;
        const found = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        return found === rect;
    };
    const plots = [...document.querySelectorAll('svg.p')].map(plot => {
        plot.scrollIntoView({ block: 'center' });
        const box = plot.getBoundingClientRect();
        const blocks = [...plot.querySelectorAll('g rect + rect')];
        return {
            width: box.width, height: box.height, left: box.left, right: box.right,
            blocks: blocks.length,
            shown: blocks.filter(shown).length,
            colours: new Set(blocks.filter(shown).map(rect => getComputedStyle(rect).fill)).size,
        };
    });
    const bars = [...document.querySelectorAll('.b svg')].map(bar => {
        const { left, right, width, height } = bar.getBoundingClientRect();
        bar.scrollIntoView({ block: 'center' });
        return { left, right, width, height, shown: [...bar.querySelectorAll('rect')].some(shown) };
    });
    const texts = [...document.querySelectorAll('h1,h2,p,td,th,time,figcaption,pre,summary')]
        .filter(text => text.textContent.trim() && text.getClientRects().length);
    const size = text => parseFloat(getComputedStyle(text).fontSize);
    const cut = texts.filter(text => !text.closest('.t') && text.getBoundingClientRect().right > innerWidth);
    return {
        inner: innerWidth, scroll: document.documentElement.scrollWidth,
        smallest: Math.min(...texts.map(size)), cut: cut.map(text => text.textContent), plots, bars,
        styled: getComputedStyle(document.querySelector('.score')).fontSize,
    };
})()";

async fn server_with_ten_days(data: &Data) -> Server {
    assert!(Server::start_on(data).terminate().success());
    let long = "a-tenant-with-a-name-that-is-rather-long-for-a-narrow-window-but-not-for-a-label";
    for days_ago in 1..10 {
        add_day(data, days_ago, "acme", 400, 30 * days_ago).await;
        add_day(data, days_ago, long, 100, 3).await;
    }
    let server = Server::start_on(data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    for n in 0..4 {
        let broken = json!({
            "specversion": "1.0", "type": "purchase.completed", "source": "test", "id": format!("broken-{n}"),
            "data": { "order": "x".repeat(300), "total_cents": "8371", "currency": "EUR", "items": [] }
        });
        let answer = server.post("/v1/events", &key, &broken).send().await;
        assert_eq!(answer.unwrap().status(), StatusCode::UNPROCESSABLE_ENTITY);
    }
    // Samples of today are there for the next start.
    assert!(server.terminate().success());
    Server::start_on(data)
}

#[tokio::test]
async fn the_report_of_days_is_readable_in_narrow_and_wide_windows_and_loads_nothing() {
    let data = Data::new();
    let server = server_with_ten_days(&data).await;
    let mut browser = Chromium::start();
    browser.authorise(ADMIN_TOKEN);
    for path in [
        "/admin/quality/report?days=10",
        "/admin/quality/report?days=366",
    ] {
        let url = format!("http://{}{path}", server.admin_address());
        for width in [400, 1_400] {
            let look = browser.look(&url, width, LOOK);
            assert_readable(&look, width, path);
            // Five dimensions, an event type, two tenants.
            assert_bars_are_shown(&look, width, 8);
            let plots = look["plots"].as_array().unwrap();
            assert_eq!(plots.len(), 2, "{look}");
            for (plot, (columns, colours)) in plots.iter().zip([(10, 3), (9, 1)]) {
                assert!(plot["height"].as_f64().unwrap() >= 100.0, "{look}");
                assert!(
                    plot["width"].as_f64().unwrap() >= f64::from(width) * 0.75,
                    "{look}"
                );
                assert!(plot["left"].as_f64().unwrap() >= 0.0, "{look}");
                assert!(
                    plot["right"].as_f64().unwrap() <= f64::from(width),
                    "{look}"
                );
                assert!(plot["colours"].as_u64().unwrap() >= colours, "{look}");
                if path.ends_with("=10") {
                    assert!(plot["shown"].as_u64().unwrap() >= columns, "{look}");
                }
            }
        }
    }
    assert_all_from(&server, &browser.requests(), 4);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn the_report_since_the_start_is_readable_too() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let broken = json!({ "specversion": "1.0", "type": "purchase.completed", "source": "test", "id": "1", "data": {} });
    for (event, expected) in [
        (page_view(1), StatusCode::ACCEPTED),
        (broken, StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let answer = server.post("/v1/events", &key, &event).send().await;
        assert_eq!(answer.unwrap().status(), expected);
    }
    let mut browser = Chromium::start();
    browser.authorise(ADMIN_TOKEN);
    let url = format!("http://{}/admin/quality/report", server.admin_address());
    for width in [400, 1_400] {
        let look = browser.look(&url, width, LOOK);
        assert_readable(&look, width, "since the start");
        // Five dimensions and a tenant.
        assert_bars_are_shown(&look, width, 6);
    }
    assert_all_from(&server, &browser.requests(), 2);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// A page that loads from elsewhere, is too wide and hides its bars is found to be: the tests above can fail.
#[tokio::test]
async fn a_bad_page_is_found() {
    let mut browser = Chromium::start();
    let page = "data:text/html,<p class=score>a</p><img src='http://127.0.0.1:9/elsewhere.png'>\
                <div style='width:2000px'>a</div><p style='width:900px;font-size:5px'>a</p>\
                <p class=b style='display:none'><svg width=200 height=10><rect width=200 height=10 /></svg></p>";
    let look = browser.look(page, 400, LOOK);
    assert!(look["scroll"].as_u64().unwrap() > 400, "{look}");
    assert_eq!(look["cut"].as_array().unwrap().len(), 1, "{look}");
    assert_eq!(look["smallest"], 5);
    assert_eq!(look["bars"][0]["shown"], false, "{look}");
    let requests = browser.requests();
    assert!(
        requests.iter().any(|url| url.ends_with("elsewhere.png")),
        "{requests:?}"
    );
}

fn assert_readable(look: &Value, width: u32, what: &str) {
    assert_eq!(look["inner"], width, "{what}: {look}");
    assert!(
        look["scroll"].as_u64().unwrap() <= u64::from(width),
        "{what}: {look}"
    );
    assert_eq!(look["cut"], json!([]), "{what} at {width}");
    assert!(look["smallest"].as_f64().unwrap() >= 12.0, "{what}: {look}");
    assert_eq!(look["styled"], "48px", "{what}: its own style is refused");
}

/// Each bar lies in the window as it is, on at least a third of a narrow one.
fn assert_bars_are_shown(look: &Value, width: u32, at_least: usize) {
    let bars = look["bars"].as_array().unwrap();
    assert!(bars.len() >= at_least, "at {width}: {look}");
    for bar in bars {
        let edge = |name: &str| bar[name].as_f64().unwrap();
        assert_eq!(bar["shown"], true, "at {width}: {look}");
        assert!(edge("left") >= 0.0, "at {width}: {look}");
        assert!(edge("right") <= f64::from(width), "at {width}: {look}");
        assert!(edge("width") >= 134.0, "at {width}: {look}");
        assert!(edge("height") >= 8.0, "at {width}: {look}");
    }
}

fn assert_all_from(server: &Server, requests: &[String], at_least: usize) {
    let own = format!("http://{}/", server.admin_address());
    assert!(requests.len() >= at_least, "{requests:?}");
    assert!(
        requests.iter().all(|url| url.starts_with(&own)),
        "{requests:?}"
    );
}
