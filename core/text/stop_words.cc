#include "core/text/stop_words.h"

#include <array>
#include <string>
#include <unordered_set>

namespace sworn::text {
namespace {

constexpr std::string_view kEnglish = R"(
  a about above according accordingly across actually after afterwards again ago ah all almost
  alone along already also although altogether always am amid among amongst an and another any
  anybody anyhow anyone anything anyway anywhere apart are around as aside at available away
  back be became because become becomes becoming been before beforehand behind being below beside
  besides between beyond both but by
  came can certain certainly come comes concerning consequently could
  despite did do does doing done down during
  each eg either else elsewhere enough entirely especially etc even ever every everybody everyone
  everything everywhere exactly except
  far few for former formerly from further furthermore
  gave get gets getting give given gives giving go goes going gone got gotten
  had happen happens has have having he hence her here hereafter hereby herein hereupon hers
  herself hi him himself his how howbeit however
  i ie if in inasmuch indeed instead into inward is it its itself
  just keep keeps kept
  last lately later latter latterly least less lest let let's like likely likewise look looks
  made mainly make makes making many may maybe me mean means meanwhile merely might mine more
  moreover most mostly much must my myself
  namely near nearly necessary need needs nevertheless next nonetheless now
  obviously of off often oh ok okay old on once one ones only onto or other others otherwise ought
  our ours ourselves out outside over overall own
  particular particularly per perhaps please possible possibly presumably probably put
  quite rather really regarding regardless relatively respectively
  said same saw say saying says second see seem seemed seeming seems seen several shall she should
  since so some somebody somehow someone something sometime sometimes somewhat somewhere soon still
  such
  take taken takes taking than that that's the their theirs them themselves then thence there
  thereafter thereby therefore therein thereupon these they thing things this thorough thoroughly
  those though through throughout thru thus to together too took toward towards tried tries truly
  try trying
  under until unto up upon us use used uses using usually
  various very via
  want wants was way ways we well went were what whatever whatsoever when whence whenever where
  whereafter whereas whereby wherein whereupon wherever whether which whichever while whither who
  whoever whole whom whomever whose why will with within would
  yes yet you your yours yourself yourselves
  i'm i've i'd i'll you're you've you'd you'll he's he'd he'll she's she'd she'll it's it'd it'll
  we're we've we'd we'll they're they've they'd they'll there's here's what's who's where's how's
  tell know known
)";

constexpr std::string_view kSpanish = R"(
  a acerca además adonde ahora ahí al algo alguien alguna algunas alguno algunos algún allá allí
  ambas ambos ante anterior antes aproximadamente aquel aquella aquellas aquello aquellos
  aquí aquél aquélla así aun aunque aún
  bajo bastante bien
  cabe cada casi cerca cierta ciertas cierto ciertos como con conforme conmigo conseguir consigo
  contigo contra cosa cosas cual cuales cualquier cualquiera cualesquiera cuan cuando cuanta
  cuantas cuanto cuantos cuya cuyas cuyo cuyos cuál cuáles cuándo cuánta cuántas cuánto cuántos
  cómo
  da dado dan dar de debe deben debido debía decir del delante demasiado demás dentro desde
  después detrás dice dicen dicho dio donde dos durante dónde
  e el ella ellas ello ellos embargo en encima entonces entre era erais eran eras eres es esa esas
  ese eso esos esta estaba estaban estado estamos estar estará estas este esto estos estoy estuvo
  está están esté estén etc excepto
  fin fue fuera fueron fuese fui
  general gran grandes
  ha haber había habían habrá hace hacen hacer hacerse hacia haciendo han has hasta hay haya hayan
  he hecho hemos hicieron hizo hoy hubo
  igual incluso
  junto juntos
  la las le les lo los luego
  manera mas mayor me mediante medio mejor menos mi mientras mis misma mismas mismo mismos modo
  mucha muchas mucho muchos muy más mí mía mías mío míos
  nos nosotras nosotros nuestra nuestras nuestro nuestros
  o os otra otras otro otros
  para parece parte pero poca pocas poco pocos podemos poder podrá podría podrían poner por porque
  posible primero propia propias propio propios pronto pudo puede pueden pues
  que quedó querer quien quienes quiere quién quiénes qué
  realizar respecto
  sabe saber se sea sean según ser será serán sería si sido siempre siendo sigue siguiente
  siguientes sino sobre sois sola solamente solas solo solos somos son soy su sus suya suyas suyo
  suyos sí sólo
  tal tales también tan tanta tantas tanto tantos te tendrá tener tengo tenía tenían ti tiene
  tienen toda todas todavía todo todos tras través tu tus tuvo tuya tuyo tú
  u un una unas uno unos usted ustedes
  va vamos van varias varios veces ver vez vosotras vosotros vuestra vuestras vuestro vuestros
  y ya yo
  él ésa ésas ése ésos ésta éstas éste éstos
)";

constexpr std::string_view kGerman = R"(
  ab aber alle allem allen aller allerdings alles als also am an andere anderem anderen anderer
  anderes andernfalls anders anhand auch auf aufgrund aus ausser ausserdem ausserhalb
  bald bei beide beiden beider beides beim bereits besonders bestimmte bestimmten bestimmter bevor
  bin bis bisher bist bzw
  da dabei dadurch dafür dagegen daher dahin damals damit danach daneben dann daran darauf daraus
  darf darfst darin darum darunter darüber das dass dasselbe davon davor dazu dein deine deinem
  deinen deiner dem demnach demselben den denen denn dennoch denselben der deren derer derselbe
  derselben des deshalb desselben dessen desto deswegen dich die dies diese dieselbe dieselben
  diesem diesen dieser dieses dir doch dort du durch durfte dürfen
  eben ebenfalls ebenso eher ein eine einem einen einer eines einige einigem einigen einiger
  einiges einmal einzelne einzelnen entweder er erst es etc etwa etwas euch euer eure eurem euren
  eurer
  falls fast folgende folgenden folgender folgt für
  gab ganz ganze ganzen gar geben gegen gegenüber gehabt gemacht gemäss genau gerade gern gesagt
  getan gewesen geworden gibt ging
  hab habe haben hast hat hatte hatten hattest hier hierbei hierfür hierzu hin hinter hinein
  ich ihm ihn ihnen ihr ihre ihrem ihren ihrer ihres im immer in indem infolge inkl innerhalb ins
  insbesondere insgesamt irgend irgendwie ist
  ja je jede jedem jeden jeder jedes jedoch jemand jene jenem jenen jener jenes jetzt jeweilige
  jeweiligen jeweils
  kann kannst konnte konnten können könnt könnte könnten
  lassen laut lässt
  machen macht man manche manchem manchen mancher manches mehr mein meine meinem meinen meiner
  meines meist mich mir mit mittels mochte muss musste mussten müssen müsste möchte möchten mögen
  möglich
  nach nachdem nahezu neben noch nun nur nämlich
  ob oben obwohl oder oft
  per pro
  sagen sagt sagte schon sehr sei seien sein seine seinem seinen seiner seines seit seitdem selber
  selbst sich sie siehe sind so sobald sodass sofern sogar solange solch solche solchem solchen
  solcher solches soll sollen sollte sollten somit sondern sonst soweit sowie sowohl statt stets
  trotz trotzdem
  um und uns unser unsere unserem unseren unserer unter usw
  viel viele vielen vieler vielleicht vom von vor vorher während
  wann war waren warum was weg wegen weil weise weiter weitere weiteren weiterer weiterhin
  welche welchem welchen welcher welches wenig wenige weniger wenn wer werde werden wessen wie
  wieder wieso will wir wird wirklich wo wobei wodurch wofür woher wohin wohl wollen wollte
  wollten womit worden worin worüber wozu wurde wurden würde würden wäre wären
  z zb zu zum zunächst zur zusammen zwar zwischen
  über überhaupt übrigens
)";

using WordSet = std::unordered_set<std::string_view>;

WordSet Split(std::string_view list) {
  WordSet words;
  std::size_t at = 0;
  while ((at = list.find_first_not_of(" \n", at)) != std::string_view::npos) {
    const std::size_t end = list.find_first_of(" \n", at);
    words.insert(list.substr(at, end - at));
    at = end;
  }
  return words;
}

constexpr std::array<std::string_view, 3> kLanguages = {"en", "es", "de"};

}  // namespace

bool IsStopWord(std::string_view folded, std::string_view language) {
  static const std::array<WordSet, 3> sets = {Split(kEnglish), Split(kSpanish), Split(kGerman)};
  for (std::size_t i = 0; i < kLanguages.size(); ++i) {
    if (kLanguages[i] == language) return sets[i].contains(folded);
  }
  return false;
}

std::span<const std::string_view> StopWordLanguages() { return kLanguages; }

}  // namespace sworn::text
