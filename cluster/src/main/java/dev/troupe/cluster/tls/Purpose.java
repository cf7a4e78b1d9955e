package dev.troupe.cluster.tls;

/**
 * What a certificate is for. It stands in the certificate twice: as the unit of its subject, and as
 * the ends of a connection that its key may be, so that none passes for one of another purpose.
 */
public enum Purpose {
  /** A machine that runs containers: only ever dials. */
  MACHINE("machine", true, false),
  /** The port that machines dial: only ever answers. */
  MACHINE_PORT("machine-port", false, true),
  /** A process of the control plane: dials others of its kind, and answers them. */
  MEMBER("member", true, true);

  private final String unit;
  private final boolean dials;
  private final boolean answers;

  Purpose(String unit, boolean dials, boolean answers) {
    this.unit = unit;
    this.dials = dials;
    this.answers = answers;
  }

  /** The unit of the subject. */
  String unit() {
    return unit;
  }

  boolean dials() {
    return dials;
  }

  boolean answers() {
    return answers;
  }
}
