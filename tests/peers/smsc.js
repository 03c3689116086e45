// A short message centre that speaks SMPP by the npm package `smpp`: nothing of it was written by whoever wrote our driver.
// It is told what to do by lines of JSON, and answers each with one; its first line says where it listens.
"use strict";

const readline = require("readline");
const smpp = require("smpp");

const mood = { status: 0, after: 0, silent: false, cutAfter: null, babble: false, report: "DELIVRD", early: false, bad: "10000000000" };
const taken = [];
const waiting = new Map(); // deliver_sm that were not acknowledged, by a number of ours
const sessions = new Set();
let ids = 0x1000;
let enquiries = 0;
let most = 0;

const server = smpp.createServer({}, (session) => {
  session.boundAs = "";
  session.open = 0;
  sessions.add(session);
  session.on("bind_transceiver", (pdu) => {
    const good = pdu.system_id === "county" && pdu.password === "s3cret";
    session.boundAs = good ? pdu.system_id : "";
    session.send(pdu.response({ command_status: good ? 0 : smpp.ESME_RINVPASWD }));
  });
  session.on("enquire_link", (pdu) => {
    enquiries += 1;
    if (!mood.silent) session.send(pdu.response());
  });
  session.on("unbind", (pdu) => {
    session.send(pdu.response());
    session.close();
  });
  session.on("submit_sm", (pdu) => submit(session, pdu));
  session.on("close", () => sessions.delete(session));
  session.on("error", () => {});
});

function submit(session, pdu) {
  session.open += 1;
  most = Math.max(most, session.open);
  if (mood.babble) return session.socket.write("HTTP/1.1 400 Bad Request\r\n\r\n");
  if (mood.cutAfter !== null && taken.length >= mood.cutAfter) return session.socket.destroy();
  const status = pdu.destination_addr.endsWith(mood.bad) ? smpp.ESME_RINVDSTADR : mood.status;
  const id = (ids += 1).toString(16).toUpperCase();
  if (status === 0) {
    const { message, udh } = pdu.short_message;
    taken.push({
      id, text: message, udh: udh ? udh.map((one) => one.toString("hex")) : [], to: pdu.destination_addr, from: pdu.source_addr,
      coding: pdu.data_coding, priority: pdu.priority_flag, validity: pdu.validity_period, receipt: pdu.registered_delivery,
      length: pdu.command_length,
    });
  }
  if (mood.silent) return undefined;
  if (status === 0 && mood.early) report(id, pdu.destination_addr);
  setTimeout(() => {
    session.open -= 1;
    session.send(pdu.response(status === 0 ? { message_id: id } : { command_status: status }));
    if (status === 0 && !mood.early) report(id, pdu.destination_addr);
  }, mood.after);
  return undefined;
}

function report(id, from) {
  const stamp = new Date().toISOString().replace(/[-T:]/g, "").slice(2, 12);
  const text = `id:${id} sub:001 dlvrd:001 submit date:${stamp} done date:${stamp} stat:${mood.report} err:000 text:`;
  if (mood.report) deliver({ source_addr: from, destination_addr: "10690001", esm_class: 4, short_message: text });
}

function deliver(fields) {
  const number = waiting.size + enquiries + Date.now();
  waiting.set(fields, number);
  push(fields);
}

function push(fields) {
  if (!waiting.has(fields)) return;
  const session = [...sessions].filter((one) => one.boundAs).pop();
  if (session && !mood.silent) session.deliver_sm(fields, (answer) => answer.command_status === 0 && waiting.delete(fields));
  setTimeout(push, 300, fields);
}

const commands = {
  play: (wanted) => Object.assign(mood, wanted),
  taken: () => taken,
  figures: () => ({ unacknowledged: waiting.size, enquiries, most, taken: taken.length }),
  say: ({ from, hex, coding, headed }) => {
    deliver({
      source_addr: from, destination_addr: "10690001", data_coding: coding, esm_class: headed ? 0x40 : 0,
      short_message: Buffer.from(hex, "hex"),
    });
  },
  hangUp: () => sessions.forEach((session) => session.socket.destroy()),
};

server.listen(0, "127.0.0.1", () => process.stdout.write(JSON.stringify({ port: server.address().port }) + "\n"));
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { command, given } = JSON.parse(line);
  process.stdout.write(JSON.stringify(commands[command](given) ?? null) + "\n");
}).on("close", () => process.exit(0));
