//! Commands to a cluster, whose slots move between nodes.

use std::time::Duration;

use redis::{
    Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value, aio::ConnectionLike as _,
    cluster_async::ClusterConnection, cluster_routing::SingleNodeRoutingInfo, pipe,
};

/// Between two tries, so that a slot that is moving is not asked for without pause. The caller's deadline
/// ends them.
const PAUSE: Duration = Duration::from_millis(1);

/// Sends a command to the node of its slot, and again where a node says that it did not carry it out because
/// the slot is elsewhere or moving. The client would do so too, but it would also send again what a lost
/// connection leaves undecided, so it is built without retries.
pub(super) async fn send(connection: &mut ClusterConnection, command: &Cmd) -> RedisResult<Value> {
    let mut node = None;
    loop {
        let reply = match node.take() {
            None => connection.req_packed_command(command).await,
            Some(node) => asking(connection, command, node).await,
        };
        let error = match reply.and_then(Value::extract_error) {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        match error.kind() {
            ErrorKind::Server(ServerErrorKind::Ask) => node = Some(redirect(&error)?),
            // The client looks for the slots meanwhile.
            ErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::TryAgain) => {
                tokio::time::sleep(PAUSE).await;
            }
            _ => return Err(error),
        }
    }
}

async fn asking(
    connection: &mut ClusterConnection,
    command: &Cmd,
    node: SingleNodeRoutingInfo,
) -> RedisResult<Value> {
    let mut commands = pipe();
    commands.cmd("ASKING").add_command(command.clone());
    let replies = connection.route_pipeline(commands, 0, 2, node).await?;
    replies
        .into_iter()
        .nth(1)
        .unwrap_or(Value::Nil)
        .extract_error()
}

fn redirect(error: &RedisError) -> RedisResult<SingleNodeRoutingInfo> {
    let node = error.redirect_node().and_then(|(address, _)| {
        let (host, port) = address.rsplit_once(':')?;
        Some(SingleNodeRoutingInfo::ByAddress {
            host: host.to_owned(),
            port: port.parse().ok()?,
        })
    });
    node.ok_or_else(|| (ErrorKind::Parse, "a redirection names no node").into())
}
