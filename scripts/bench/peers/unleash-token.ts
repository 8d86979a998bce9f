/** Of all projects in one environment; the source takes it for valid. */
export const unleashToken = "*:development.bench";
