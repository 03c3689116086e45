// A client that speaks SMPP by the npm package `smpp`: nothing of it was written by whoever wrote our fronts.
// It is told what to do by lines of JSON, and answers each with one; its first line says that it is there.
"use strict";

const readline = require("readline");
const smpp = require("smpp");

const delivered = [];
let session = null;

function say(what) {
  process.stdout.write(JSON.stringify(what ?? null) + "\n");
}

const commands = {
  connect: ({ port }) => {
    session = smpp.connect({ url: `smpp://127.0.0.1:${port}` }, () => say("connected"));
    session.on("deliver_sm", (pdu) => {
      const { message, udh } = pdu.short_message;
      delivered.push({
        from: pdu.source_addr, to: pdu.destination_addr, kind: pdu.esm_class, coding: pdu.data_coding, text: message.toString(),
        headed: Boolean(udh), id: pdu.receipted_message_id || "", state: pdu.message_state || 0,
      });
      session.send(pdu.response());
    });
    session.on("close", () => delivered.push({ closed: true }));
    session.on("error", () => {});
  },
  bind: ({ user, password }) => {
    session.bind_transceiver({ system_id: user, password }, (pdu) => say({ status: pdu.command_status, centre: pdu.system_id }));
  },
  submit: (fields) => {
    const { text, udh, ...others } = fields;
    const message = udh ? { udh: Buffer.from(udh, "hex"), message: text } : text;
    session.submit_sm({ ...others, short_message: message }, (pdu) => say({ status: pdu.command_status, id: pdu.message_id }));
  },
  alive: () => session.enquire_link({}, (pdu) => say({ status: pdu.command_status })),
  delivered: () => say(delivered),
  unbind: () => session.unbind({}, (pdu) => say({ status: pdu.command_status })),
};

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { command, given } = JSON.parse(line);
  commands[command](given);
}).on("close", () => process.exit(0));
say("ready");
