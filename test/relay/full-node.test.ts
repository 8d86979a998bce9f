import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test, vi } from "vitest";
import { LibrarySchema } from "../../gen/headwater/v1/flag_pb.ts";
import { Authority, valueOf } from "./authority.ts";
import { rootNode } from "./stepped-node.ts";

/** A thousand projects would say no more than three. */
const { projectsCountMax } = vi.hoisted(() => ({ projectsCountMax: 3 }));
vi.mock("../../relay/limits.ts", async (actual) => ({
  ...(await actual<object>()),
  projectsCountMax,
}));

test("of libraries that an application vouches for as many are pinned as there is room for", () => {
  const { id: authority } = new Authority({ name: "library" });
  const node = rootNode();
  const libraries = ["bergen", "oslo", "tromso"].map((project) => [
    `library/${project}`,
    toBinary(LibrarySchema, create(LibrarySchema, { project, authority })),
  ]);
  valueOf(node.commit(Object.fromEntries(libraries)));
  node.wait(10_000);
  expect(node.node.reads.pins().map(({ project }) => project)).toEqual([
    "horizon",
    "bergen",
    "oslo",
  ]);
});
