import assert from "node:assert/strict";
import { test } from "node:test";
import { BodyRoom } from "./body-room.ts";

function reading(room: BodyRoom, sender: string, bytes: number) {
  const state = { givenUp: 0, fits: false, holding: room.enter(sender, () => state.givenUp++) };
  state.fits = state.holding.grow(bytes);
  return state;
}

test("the largest body of whoever holds the most makes room for everybody else", () => {
  const room = new BodyRoom(100);
  const hoard = [30, 40, 20].map((bytes) => reading(room, "attacker", bytes));
  const large = reading(room, "api server", 50);
  assert.deepEqual(
    hoard.map(({ givenUp }) => givenUp),
    [0, 1, 0],
    "though another's is larger",
  );
  assert.equal(large.fits, true);
  assert.equal(room.held, 100);
});

test("who grows beyond everybody else is the one that goes, and is told", () => {
  const room = new BodyRoom(100);
  const [quiet, greedy] = [reading(room, "a", 10), reading(room, "b", 50)];
  assert.equal(greedy.holding.grow(95), false);
  assert.equal(greedy.givenUp, 1);
  assert.equal(greedy.holding.grow(1), false, "it does not come back");
  assert.equal(quiet.givenUp, 0);
  assert.equal(room.held, 10);
});

test("bodies that hold nothing take no room, however many they are", () => {
  const room = new BodyRoom(10);
  const announced = Array.from({ length: 1_000 }, () => reading(room, "attacker", 0));
  assert.equal(reading(room, "api server", 10).fits, true);
  assert.ok(announced.every(({ givenUp }) => givenUp === 0));
});

test("room is given back once", () => {
  const room = new BodyRoom(100);
  const [one, two] = [reading(room, "a", 60), reading(room, "a", 40)];
  one.holding.leave();
  one.holding.leave();
  assert.equal(room.held, 40);
  two.holding.leave();
  assert.equal(room.held, 0);
});
