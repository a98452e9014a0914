// A reader that is not ours: llrpjs serves LLRP on the port of its first argument and shows one vehicle and
// one trade item while a ROSpec runs. `NODE_PATH` names the folder with the package.
const { LLRPServer, LLRPCore: core } = require("llrpjs");

const server = new LLRPServer({ host: "127.0.0.1", port: Number(process.argv[2]) });
const ok = { StatusCode: "M_Success", ErrorDescription: "" };
const now = () => BigInt(Date.now()) * 1000n;
const told = (error) => console.error(error.message);
const answer = (request, Kind, more = {}) =>
  server.send(new Kind({ id: request.getMessageId(), data: { LLRPStatus: ok, ...more } })).catch(told);
const tag = (epc, rssi) => ({
  EPC_96: { EPC: epc },
  AntennaID: { AntennaID: 1 },
  PeakRSSI: { PeakRSSI: rssi },
  FirstSeenTimestampUTC: { Microseconds: now() },
  LastSeenTimestampUTC: { Microseconds: now() },
  TagSeenCount: { TagCount: 3 },
});
const report = () =>
  server
    .send(new core.RO_ACCESS_REPORT({
      id: 900,
      data: { TagReportData: [tag("3476451fd40000000000162e", -51), tag("3074257bf7194e4000001a85", -62)] },
    }))
    .catch(told);

let rounds;
const quiet = () => {
  clearInterval(rounds);
  rounds = undefined;
};
server.on("connection", () =>
  server.send(new core.READER_EVENT_NOTIFICATION({
    id: 1,
    data: {
      ReaderEventNotificationData: {
        UTCTimestamp: { Microseconds: now() },
        ConnectionAttemptEvent: { Status: "Success" },
      },
    },
  })),
);
for (const name of ["GET_READER_CAPABILITIES", "GET_READER_CONFIG", "SET_READER_CONFIG", "ADD_ROSPEC", "DELETE_ROSPEC",
  "ENABLE_ROSPEC", "DISABLE_ROSPEC", "DELETE_ACCESSSPEC", "CLOSE_CONNECTION"]) {
  server.on(name, (request) => {
    console.log(name);
    answer(request, core[`${name}_RESPONSE`]);
  });
}
server.on("START_ROSPEC", (request) => {
  console.log("START_ROSPEC");
  answer(request, core.START_ROSPEC_RESPONSE);
  rounds ??= setInterval(report, 200);
});
server.on("STOP_ROSPEC", (request) => {
  console.log("STOP_ROSPEC");
  quiet();
  answer(request, core.STOP_ROSPEC_RESPONSE);
});
server.on("KEEPALIVE_ACK", () => console.log("KEEPALIVE_ACK"));
server.on("disconnect", quiet);
server.on("error", told);
// It takes one message of each packet; a keepalive brings on what else arrived with it.
setInterval(() => server.socketWritable && server.send(new core.KEEPALIVE({ id: 77 })).catch(told), 1000);
server.listen();
console.log("listening");
