package dev.troupe.cluster.tls;

import java.security.cert.X509Certificate;
import java.util.List;
import java.util.regex.Pattern;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.security.auth.x500.X500Principal;

/** Whom a certificate names, and for what. */
public final class Subject {

  /** What may be named: nothing that means something in the text of a subject. */
  private static final Pattern NAME = Pattern.compile("[0-9A-Za-z][0-9A-Za-z._-]{0,63}");

  private Subject() {}

  /** The name in a certificate. */
  public static String name(X509Certificate certificate) {
    return name(certificate.getSubjectX500Principal());
  }

  /** Whether a certificate was made for a purpose. */
  public static boolean isFor(X509Certificate certificate, Purpose purpose) {
    return purpose.unit().equals(part(certificate.getSubjectX500Principal(), "OU"));
  }

  static String name(X500Principal subject) {
    return checked(part(subject, "CN"));
  }

  static String checked(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new CertificateRefused(
          "'%.64s' is no name: letters, digits, dots, hyphens, 64 at most.".formatted(name));
    }
    return name;
  }

  static X500Principal of(String name, Purpose purpose) {
    return new X500Principal("CN=%s,OU=%s".formatted(checked(name), purpose.unit()));
  }

  /** A part that is there once; empty where it is not. */
  private static String part(X500Principal subject, String type) {
    try {
      List<String> found =
          new LdapName(subject.getName())
              .getRdns().stream()
                  .filter(part -> part.size() == 1 && part.getType().equalsIgnoreCase(type))
                  .map(Rdn::getValue)
                  .map(String::valueOf)
                  .toList();
      return found.size() == 1 ? found.getFirst() : "";
    } catch (InvalidNameException malformed) {
      throw new CertificateRefused("The subject of a certificate is malformed.", malformed);
    }
  }
}
