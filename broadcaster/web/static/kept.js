// How a part of a page is brought up to date while somebody is at it: what its reader has opened, typed or chosen stays, and so
// does what is wrong with it.
"use strict";

const KEPT = {
  morphStyle: "innerHTML",
  ignoreActiveValue: true,
  callbacks: {
    beforeAttributeUpdated: (name, node) => !(name === "open" && node.localName === "details"),
    beforeNodeRemoved: (node) => !(node instanceof Element && node.matches("[id^=fault-]")),
    beforeNodeMorphed: (node) => !(node instanceof Element && node.matches("input:not([type=hidden]), textarea, select")),
  },
};
