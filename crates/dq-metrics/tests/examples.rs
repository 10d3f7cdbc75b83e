//! The examples, run: each asserts what it claims.

#[path = "../examples/metrics.rs"]
mod metrics;
#[path = "../examples/weather_station/main.rs"]
mod weather_station;

#[test]
fn a_weather_station_counts_by_reasons_of_its_own() {
    weather_station::main();
}

#[test]
fn a_scrape_shows_the_reasons_of_an_importer() {
    metrics::main();
}
