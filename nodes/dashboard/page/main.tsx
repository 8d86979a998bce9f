import { render } from "preact";
import { Dashboard } from "./dashboard.tsx";

const place = document.querySelector("#page");
if (place !== null) {
  place.replaceChildren();
  render(<Dashboard />, place);
}
