/** Set when the process was asked to stop, so that load balancers look elsewhere. */
export class Draining {
  begun = false;
}
